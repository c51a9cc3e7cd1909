import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'below fullconn a server takes minconn requests only',
  config: web('fullconn 100\n  server a {server:a} minconn 1 maxconn 50'),
  servers: { a: { answers: [[{ pause: 200 }, ok('first')], [ok('second')]] } },
  unordered: true,
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
    ],
  ],
};
