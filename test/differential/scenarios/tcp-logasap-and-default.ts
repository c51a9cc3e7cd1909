import { type Scenario, tcpDefaults } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'tcp: logasap, and the short line',
  config: `${tcpDefaults}
listen asap
  bind {bind:asap}
  option logasap
  server a {server:a}
defaults
  mode tcp
  log global
  timeout connect 1s
  timeout client 2s
  timeout server 2s
listen short
  bind {bind:short}
  server a {server:a}
`,
  servers: { a: { kind: 'tcp', answers: [[{ send: 'hi' }, { end: true }, { finish: true }]] } },
  clients: [
    { to: 'asap', raw: true, steps: [{ until: 'hi' }, { log: 'asap' }, { finish: true }, { end: true }] },
    { to: 'short', raw: true, steps: [{ until: 'hi' }, { log: 'Connect from' }, { finish: true }, { end: true }] },
  ],
};
