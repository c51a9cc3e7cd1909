import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that asks for close gets it',
  config: web('server a {server:a}'),
  servers: abc,
  connections: true,
  clients: [{ to: 'web', steps: [get('/1', 'Connection: close\r\n'), { end: true }] }],
};
