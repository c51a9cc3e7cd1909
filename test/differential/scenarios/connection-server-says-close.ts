import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that closes does not close the client',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[ok('one', 'Connection: close\r\n'), { finish: true }]] } },
  connections: true,
  clients: [{ to: 'web', steps: gets(2) }],
};
