import { get, httpDefaults, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that leaves the queue frees its place',
  config: web('server a {server:a} maxconn 1', '', `${httpDefaults}  option abortonclose\n`),
  servers: { a: { answers: [[{ log: 'GET /2' }, ok('first')], [ok('third')]] } },
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }, get('/3'), { responses: 2 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { pause: 100 }, { close: true }] },
    ],
  ],
};
