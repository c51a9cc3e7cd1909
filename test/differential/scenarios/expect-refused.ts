import { type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a final answer instead of 100 Continue',
  config: web('server a {server:a}'),
  servers: {
    a: {
      early: true,
      answers: [[{ send: 'HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' }, { finish: true }]],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n' },
        { responses: 1 },
      ],
    },
  ],
};
