import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a silent tcp session ends by timeout server',
  config: web('timeout server 300ms\n  server a {server:a}', '', tcpDefaults),
  servers: { a: { kind: 'tcp', answers: [[{ send: 'hi' }, { end: true }, { finish: true }]] } },
  clients: [{ to: 'web', raw: true, steps: [{ send: 'x' }, { end: true }] }],
};
