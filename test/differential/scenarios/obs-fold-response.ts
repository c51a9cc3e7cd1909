import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a folded header line in a response is unfolded',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[ok('a', 'X-A: one\r\n two\r\n')]] } },
  clients: [{ to: 'web', steps: gets(1) }],
};
