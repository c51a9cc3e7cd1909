import { get, ok, type Scenario, serverLines, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'leastconn avoids the servers that are busy',
  config: web(`balance leastconn
  ${serverLines}`),
  servers: {
    a: { answers: [[{ requests: ['c', 1] }, ok('a')], [ok('a')]] },
    b: { answers: [[{ requests: ['c', 1] }, ok('b')], [ok('b')]] },
    c: { answers: [[ok('c')]] },
  },
  unordered: true,
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['b', 1] }, get('/3'), { responses: 1 }] },
    ],
  ],
};
