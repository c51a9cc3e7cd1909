import { abc, get, httpDefaults, type Scenario, serverLines } from '../scenario.ts';

const targets = ['/aaaa/1', '/aaaa/2', '/bbbb/1/x', '/bbbb/1/y', '/cccc?q=1', '/cccc?q=2'];

export const scenario: Scenario = {
  title: 'uri with len and depth looks only at the beginning, whole also at the query',
  config: `${httpDefaults}
listen len
  bind {bind:len}
  balance uri len 5
  ${serverLines}
listen depth
  bind {bind:depth}
  balance uri depth 1
  ${serverLines}
listen whole
  bind {bind:whole}
  balance uri whole
  ${serverLines}
`,
  servers: abc,
  clients: ['len', 'depth', 'whole'].map((to) => ({
    to,
    steps: targets.flatMap((target, index) => [get(target), { responses: index + 1 }]),
  })),
};
