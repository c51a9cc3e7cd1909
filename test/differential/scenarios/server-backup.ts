import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a backup server serves only when no other can',
  config: web(`server a {server:a} disabled
  server b {server:b} backup
  server c {server:c} backup`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(3) }],
};
