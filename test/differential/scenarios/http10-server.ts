import { get, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "an HTTP/1.0 server's answer reaches an HTTP/1.1 client",
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [{ send: 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none' }, { finish: true }],
        [{ send: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\ntwo' }],
        [{ send: 'HTTP/1.0 200 OK\r\n\r\nthree' }, { finish: true }],
      ],
    },
  },
  connections: true,
  clients: [
    { to: 'web', steps: gets(2) },
    { to: 'web', steps: [get('/3'), { responses: 1 }] },
  ],
};
