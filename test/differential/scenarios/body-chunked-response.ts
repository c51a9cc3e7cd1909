import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a chunked response passes, and the connections are kept',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel' },
          { pause: 60 },
          { send: 'lo\r\n3;x\r\nabc\r\n0\r\n\r\n' },
        ],
        [ok('second')],
      ],
    },
  },
  connections: true,
  clients: [{ to: 'web', steps: gets(2) }],
};
