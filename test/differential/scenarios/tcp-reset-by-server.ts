import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "a server's reset ends the session",
  config: web('server a {server:a}', '', tcpDefaults),
  servers: { a: { kind: 'tcp', answers: [[{ until: 'x' }, { reset: true }]] } },
  clients: [{ to: 'web', raw: true, steps: [{ send: 'x' }, { end: true }] }],
  mayDiffer: [
    {
      pattern: /^client 1: (closed|reset)/,
      to: 'client 1: ended',
      why: 'Evergate passes the reset on, HAProxy makes an orderly end of it',
    },
  ],
};
