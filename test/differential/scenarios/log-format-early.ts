import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "a log-format without final facts is written with the response's head",
  config: web('server a {server:a}', 'log-format "%ci %r %ST"'),
  servers: {
    a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n' }, { log: 'GET' }, { send: 'abcd' }]] },
  },
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
};
