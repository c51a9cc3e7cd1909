import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'connection headers belong to one hop',
  config: web('server a {server:a}'),
  servers: {
    a: { answers: [[ok('a', 'Keep-Alive: timeout=5\r\nConnection: keep-alive\r\nProxy-Connection: x\r\n')]] },
  },
  clients: [
    {
      to: 'web',
      steps: [
        get('/', 'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 300\r\nProxy-Connection: keep-alive\r\n'),
        { responses: 1 },
      ],
    },
  ],
};
