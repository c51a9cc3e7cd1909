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
  deviation: {
    why: 'RFC 9110 §7.6.1: fields that Connection names, Keep-Alive and Proxy-Connection end here; HAProxy forwards them',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/^(?![\s\S]*(x-hop|keep-alive|proxy-connection))/i, /client 1 {2}HTTP\/1\.1 200 /],
  },
};
