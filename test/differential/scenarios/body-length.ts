import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a body with a length passes both ways',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[ok('x'.repeat(200_000))]] } },
  connections: true,
  clients: [
    {
      to: 'web',
      steps: [
        { send: `POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 150000\r\n\r\n${'y'.repeat(150_000)}` },
        { responses: 1 },
        get('/again'),
        { responses: 2 },
      ],
    },
  ],
};
