import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an HTTP/1.1 request without Host',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [{ send: 'GET /1 HTTP/1.1\r\n\r\n' }, { responses: 1 }] }],
  deviation: {
    why: 'RFC 9112 §3.2 demands status 400; HAProxy forwards it',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
