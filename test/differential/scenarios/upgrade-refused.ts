import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that does not switch answers as usual',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        get('/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
        { responses: 1 },
        get('/2'),
        { responses: 2 },
      ],
    },
  ],
};
