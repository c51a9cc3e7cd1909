import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that stops within a body is cut off',
  config: web('timeout server 300ms\n  server a {server:a}'),
  servers: { a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf' }, { end: true }]] } },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
