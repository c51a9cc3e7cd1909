import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "connections beyond a frontend's maxconn wait until one ends",
  config: web('server a {server:a}', 'maxconn 1'),
  servers: { a: { answers: [[{ pause: 100 }, ok('a', 'Connection: close\r\n'), { finish: true }]] } },
  clients: [
    [
      { to: 'web', steps: [get('/1', 'Connection: close\r\n'), { end: true }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2', 'Connection: close\r\n'), { end: true }] },
    ],
  ],
};
