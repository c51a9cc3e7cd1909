import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a NUL in a field value',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [{ send: 'GET /9 HTTP/1.1\r\nHost: h\r\nX-A: b\0c\r\n\r\n' }, { responses: 1 }] }],
  deviation: {
    why: 'RFC 9110 §5.5: NUL in a value is invalid and dangerous; HAProxy 2.6 forwards it',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
