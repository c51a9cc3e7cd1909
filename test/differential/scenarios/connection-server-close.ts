import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option http-server-close keeps the client and closes the server',
  config: web('option http-server-close\n  server a {server:a}'),
  servers: abc,
  connections: true,
  clients: [{ to: 'web', steps: gets(3) }],
};
