import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'both sides keep their connections by default',
  config: web('server a {server:a}'),
  servers: abc,
  connections: true,
  clients: [{ to: 'web', steps: gets(3) }],
};
