import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that breaks off a body: the client sees it broken off',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [[{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this' }, { pause: 50 }, { finish: true }]],
    },
  },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
