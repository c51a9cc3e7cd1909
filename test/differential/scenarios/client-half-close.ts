import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that has said all it will say still gets its answer',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ pause: 100 }, ok('answer')]] } },
  clients: [{ to: 'web', steps: [get(), { finish: true }, { end: true }] }],
};
