import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an upgrade to WebSocket becomes a tunnel',
  config: web('timeout tunnel 2s\n  server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          {
            send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nwelcome',
          },
          { until: 'ping' },
          { send: 'pong' },
          { until: 'bye' },
          { finish: true },
        ],
      ],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        get('/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'),
        { until: 'welcome' },
        { send: 'ping' },
        { until: 'pong' },
        { send: 'bye' },
        { end: true },
      ],
    },
  ],
};
