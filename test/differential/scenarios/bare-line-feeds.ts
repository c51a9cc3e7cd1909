import { type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'lines that end with LF alone',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ send: 'HTTP/1.1 200 OK\nContent-Length: 1\nX-A: b\n\na' }]] } },
  clients: [{ to: 'web', steps: [{ send: 'GET / HTTP/1.1\nHost: h\nX-A: b\n\n' }, { responses: 1 }] }],
};
