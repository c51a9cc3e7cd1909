import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a tcp session whose server refuses is closed',
  config: web('retries 1\n  server a {refused:a}', '', tcpDefaults),
  clients: [{ to: 'web', raw: true, steps: [{ end: true }] }],
};
