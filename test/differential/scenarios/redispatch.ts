import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'with option redispatch 1 a refused request goes to another server',
  config: web('option redispatch 1\n  balance roundrobin\n  server a {refused:a}\n  server b {server:b}'),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: gets(2) }],
};
