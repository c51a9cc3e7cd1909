import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a request with the same Host twice',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [{ send: 'GET /2 HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n' }, { responses: 1 }] }],
  deviation: {
    why: 'RFC 9112 §3.2 demands status 400 for more than one Host line; HAProxy tolerates equal ones',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
