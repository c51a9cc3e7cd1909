import { get, httpDefaults, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'with abortonclose a client that half-closes gives up its place in the queue',
  config: web('server a {server:a} maxconn 1', '', `${httpDefaults}  option abortonclose\n`),
  servers: { a: { answers: [[{ log: 'GET /2' }, ok('first')]] } },
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { pause: 100 }, { finish: true }, { end: true }] },
    ],
  ],
};
