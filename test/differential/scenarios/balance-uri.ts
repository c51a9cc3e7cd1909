import { abc, get, type Scenario, serverLines, web } from '../scenario.ts';

const targets = ['/', '/a', '/a?x=1', '/a?x=2', '/images/1.png', '/images/2.png', '/b/c/d', '/b/c/e', '/%41', '/zzz;q'];

export const scenario: Scenario = {
  title: 'uri chooses by the target without its query',
  config: web(`balance uri
  ${serverLines}`),
  servers: abc,
  clients: targets.map((target) => ({ to: 'web', steps: [get(target), { responses: 1 }] })),
};
