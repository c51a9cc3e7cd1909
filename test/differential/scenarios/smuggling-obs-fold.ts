import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a folded header line',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/', 'X-A: one\r\n two\r\n'), { responses: 1 }] }],
};
