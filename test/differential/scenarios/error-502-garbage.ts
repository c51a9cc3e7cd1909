import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that answers no HTTP: status 502',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ send: 'no http at all\r\n\r\n' }, { finish: true }]] } },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
