import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'Transfer-Encoding in an HTTP/1.0 request',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n' },
        { end: true },
      ],
    },
  ],
  deviation: {
    why: 'RFC 9112 §6.1: such a message has faulty framing; HAProxy forwards it as it is',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
