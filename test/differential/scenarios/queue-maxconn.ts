import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "requests beyond a server's maxconn wait their turn",
  config: web('server a {server:a} maxconn 1'),
  servers: { a: { answers: [[{ pause: 150 }, ok('first')], [{ pause: 50 }, ok('second')], [ok('third')]] } },
  unordered: true,
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, { pause: 50 }, get('/3'), { responses: 1 }] },
    ],
  ],
};
