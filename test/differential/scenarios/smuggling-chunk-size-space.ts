import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a space behind a chunk size',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n' },
        { responses: 1 },
      ],
    },
  ],
  deviation: {
    why: 'RFC 9112 §7.1 has no space there; HAProxy takes it',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /log .* 400 /],
  },
};
