import { abc, gets, httpDefaults, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'without a log option a connection logs one short line',
  config: web('server a {server:a}', '', httpDefaults.replace('option httplog', '')),
  servers: abc,
  clients: [{ to: 'web', steps: gets(2) }],
};
