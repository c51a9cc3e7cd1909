import { get, gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'first fills one server up to its maxconn before it takes the next',
  config: web(`balance first
  server a {server:a} maxconn 1
  server b {server:b} maxconn 1
  server c {server:c} maxconn 1`),
  servers: {
    a: { answers: [[{ requests: ['b', 1] }, { pause: 100 }, ok('a')], [ok('a')]] },
    b: { answers: [[{ pause: 200 }, ok('b')], [ok('b')]] },
    c: { answers: [[ok('c')]] },
  },
  unordered: true,
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
    ],
    { to: 'web', steps: gets(2) },
  ],
};
