import { type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'CONNECT',
  config: web('server a {server:a}'),
  servers: {
    a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\n\r\n' }, { until: 'ping' }, { send: 'pong' }, { finish: true }]] },
  },
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n' },
        { pause: 50 },
        { send: 'ping' },
        { end: true },
      ],
    },
  ],
  deviation: {
    why: 'a reverse proxy is no tunnel to anywhere: CONNECT is refused (RFC 9110 §9.3.6)',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 (400|403|405|501) /, /^(?![\s\S]*server a)/],
  },
};
