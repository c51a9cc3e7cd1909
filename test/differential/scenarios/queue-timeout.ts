import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a request that waits too long in the queue: status 503',
  config: web('timeout queue 200ms\n  server a {server:a} maxconn 1'),
  servers: { a: { answers: [[{ log: '/2' }, ok('first')]] } },
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { end: true }] },
    ],
  ],
};
