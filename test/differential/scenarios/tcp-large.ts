import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'tcp mode passes much data both ways',
  config: web('server a {server:a}', '', tcpDefaults),
  servers: {
    a: { kind: 'tcp', answers: [[{ until: 'END' }, { send: `${'x'.repeat(300_000)}END` }, { finish: true }]] },
  },
  clients: [{ to: 'web', raw: true, steps: [{ send: `${'y'.repeat(300_000)}END` }, { end: true }] }],
};
