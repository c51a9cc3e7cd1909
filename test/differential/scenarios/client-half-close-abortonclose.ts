import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'with abortonclose a half-closed client gives up its request',
  config: web('option abortonclose\n  server a {server:a}'),
  servers: { a: { answers: [[{ pause: 300 }, ok('answer')]] } },
  clients: [{ to: 'web', steps: [get(), { requests: ['a', 1] }, { finish: true }, { end: true }] }],
};
