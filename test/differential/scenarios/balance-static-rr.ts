import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'static-rr spreads by weight',
  config: web(`balance static-rr
  server a {server:a} weight 2
  server b {server:b} weight 1
  server c {server:c} weight 3`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(12) }],
};
