import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an upgrade to another protocol becomes a tunnel too',
  config: web('timeout tunnel 2s\n  server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          { send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n' },
          { until: 'ping' },
          { send: 'ping' },
          { finish: true },
        ],
      ],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n'),
        { until: ' 101 ' },
        { send: 'ping' },
        { end: true },
      ],
    },
  ],
};
