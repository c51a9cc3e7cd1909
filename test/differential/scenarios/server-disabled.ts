import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a disabled server gets nothing',
  config: web(`server a {server:a}
  server b {server:b} disabled
  server c {server:c}`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(4) }],
};
