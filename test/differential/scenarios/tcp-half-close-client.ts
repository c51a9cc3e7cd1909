import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "a client's half-close reaches the server, which can still answer",
  config: web('server a {server:a}', '', tcpDefaults),
  servers: { a: { kind: 'tcp', answers: [[{ end: true }, { send: 'counted' }, { finish: true }]] } },
  clients: [{ to: 'web', raw: true, steps: [{ send: 'count me' }, { finish: true }, { end: true }] }],
};
