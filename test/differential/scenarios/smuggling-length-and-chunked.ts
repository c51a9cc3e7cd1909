import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'Content-Length together with Transfer-Encoding',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        {
          send: 'POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        },
        { end: true },
      ],
    },
  ],
  deviation: {
    why: 'RFC 9112 §6.1 allows to refuse what may be an attack; HAProxy drops the length and forwards',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
