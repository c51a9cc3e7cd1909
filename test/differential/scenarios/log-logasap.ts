import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "option logasap writes the line with the response's head",
  config: web('server a {server:a}', 'option logasap'),
  servers: {
    a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n' }, { log: 'GET' }, { send: 'abcd' }]] },
  },
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
};
