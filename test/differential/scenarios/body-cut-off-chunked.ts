import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that breaks off a chunked body: the client sees it broken off',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n' },
          { pause: 50 },
          { finish: true },
        ],
      ],
    },
  },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
