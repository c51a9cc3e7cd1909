import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a request that finds the queue of its only server full',
  config: web('balance source\n  timeout queue 1s\n  server a {server:a} maxconn 1 maxqueue 1'),
  servers: { a: { answers: [[{ log: 'GET /3' }, ok('first')], [ok('second')]] } },
  unordered: true,
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, { pause: 100 }, get('/3'), { responses: 1 }] },
    ],
  ],
};
