import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that leaves while its server works',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ end: true }]] } },
  clients: [{ to: 'web', steps: [get('/reset'), { requests: ['a', 1] }, { reset: true }, { log: '/reset' }] }],
  deviation: {
    why: 'a client that resets its connection is gone, and its server is told; HAProxy 2.6 notices only with abortonclose',
    lines: ['log'],
    evergate: [/log .* servers\/a .* -1 0 - - CH-- /],
  },
};
