import { get, httpDefaults, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'with abortonclose a half-closed client gives up its request',
  config: web('server a {server:a}', '', `${httpDefaults}  option abortonclose\n`),
  servers: { a: { answers: [[{ pause: 300 }, ok('answer')]] } },
  clients: [{ to: 'web', steps: [get(), { requests: ['a', 1] }, { finish: true }, { end: true }] }],
};
