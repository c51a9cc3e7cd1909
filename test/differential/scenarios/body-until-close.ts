import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a response that ends with its connection',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\n\r\nsome bytes' }, { finish: true }]] } },
  clients: [
    { to: 'web', steps: [get('/1'), { end: true }] },
    { to: 'web', steps: [{ send: 'GET /2 HTTP/1.0\r\n\r\n' }, { end: true }] },
  ],
};
