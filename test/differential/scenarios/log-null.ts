import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a connection without a byte, logged',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [{ pause: 50 }, { close: true }, { log: 'web' }] }],
};
