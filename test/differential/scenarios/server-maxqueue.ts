import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server whose queue is full passes a request to another one',
  config: web(
    'balance leastconn\n  server a {server:a} maxconn 1 maxqueue 1 weight 100\n  server b {server:b} maxconn 1',
  ),
  servers: { a: { answers: [[{ log: 'GET /3' }, ok('a')]] }, b: { answers: [[ok('b')]] } },
  unordered: true,
  mayDiffer: [
    {
      pattern: /^(log .* ---- )\d+\/\d+\//,
      to: '$1#/#/',
      why: 'whether the second client, which is done, still counts when the others are logged is a matter of moments',
    },
  ],
  clients: [
    [
      { to: 'web', steps: [get('/1'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, get('/2'), { responses: 1 }] },
      { to: 'web', steps: [{ requests: ['a', 1] }, { pause: 200 }, get('/3'), { responses: 1 }] },
    ],
  ],
};
