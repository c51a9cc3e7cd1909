import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "a server's half-close reaches the client, which can still send",
  config: web('server a {server:a}', '', tcpDefaults),
  servers: { a: { kind: 'tcp', answers: [[{ send: 'go on' }, { finish: true }, { until: 'last words' }]] } },
  clients: [{ to: 'web', raw: true, steps: [{ end: true }, { send: 'last words' }, { finish: true }] }],
};
