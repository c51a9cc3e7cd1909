import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'with allbackups all backup servers share the load',
  config: web(`option allbackups
  server a {server:a} disabled
  server b {server:b} backup
  server c {server:c} backup`),
  servers: abc,
  clients: [{ to: 'web', steps: gets(4) }],
};
