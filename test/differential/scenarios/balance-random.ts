import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'balance random serves every request, whichever server it draws',
  config: web('balance random\n  server a {server:a}\n  server b {server:b}\n  server c {server:c}'),
  servers: { a: { answers: [[ok('x')]] }, b: { answers: [[ok('x')]] }, c: { answers: [[ok('x')]] } },
  unordered: true,
  mayDiffer: [{ pattern: /\b(server |servers\/)[abc]\b/g, to: '$1*', why: 'the draw is chance' }],
  clients: [{ to: 'web', steps: Array.from({ length: 6 }, (_, i) => [get(), { responses: i + 1 }]).flat() }],
};
