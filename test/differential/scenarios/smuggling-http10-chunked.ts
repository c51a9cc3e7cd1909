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
};
