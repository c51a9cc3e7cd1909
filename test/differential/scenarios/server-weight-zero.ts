import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server of weight 0 gets nothing',
  config: web(`server a {server:a}
  server b {server:b} weight 0
  server c {server:c}`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(4) }],
};
