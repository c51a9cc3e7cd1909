import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a chunked request body passes, in whatever pieces it comes',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel' },
        { pause: 60 },
        { send: 'lo\r\nA;ext=1\r\n0123456789\r\n' },
        { pause: 60 },
        { send: '0\r\n\r\n' },
        { responses: 1 },
        get('/again'),
        { responses: 2 },
      ],
    },
  ],
};
