import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option httpclose closes both sides after each response',
  config: web('server a {server:a}', 'option httpclose'),
  servers: abc,
  connections: true,
  clients: [{ to: 'web', steps: [get('/1'), { responses: 1 }, { end: true }] }],
};
