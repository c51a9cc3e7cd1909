import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'bytes behind a complete response never reach another client',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil' }],
        [ok('good')],
      ],
    },
  },
  connections: true,
  clients: [
    { to: 'web', steps: gets(1) },
    { to: 'web', steps: gets(1) },
  ],
};
