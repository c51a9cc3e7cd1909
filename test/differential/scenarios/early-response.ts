import { type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an answer before the whole request has come reaches the client',
  config: web('server a {server:a}'),
  servers: {
    a: {
      early: true,
      answers: [
        [
          { send: 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n' },
          { pause: 50 },
          { finish: true },
        ],
      ],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        { send: `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(100)}` },
        { responses: 1 },
      ],
    },
  ],
};
