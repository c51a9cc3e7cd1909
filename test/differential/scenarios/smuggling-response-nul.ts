import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "a NUL in a response's field value",
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ send: 'HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 1\r\n\r\na' }]] } },
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
  deviation: {
    why: 'RFC 9110 §5.5: NUL in a value is invalid and dangerous; HAProxy 2.6 forwards it',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 502 /, /log .* 502 .* PH-- /],
  },
};
