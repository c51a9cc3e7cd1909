import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'weights give a server its share, smoothly',
  config: web(`balance roundrobin
  server a {server:a} weight 3
  server b {server:b} weight 1
  server c {server:c} weight 2`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(12) }],
};
