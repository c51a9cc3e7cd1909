import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that closes within its head: status 502',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\nX-A' }, { pause: 30 }, { finish: true }]] } },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
