import { type Scenario, serverLines, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'tcp sessions go to the servers in turn',
  config: web(serverLines, '', tcpDefaults),
  servers: Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [name, { kind: 'tcp', answers: [[{ send: name }, { finish: true }]] }] as const),
  ),
  clients: Array.from(
    { length: 5 },
    () => ({ to: 'web', raw: true, steps: [{ end: true }, { finish: true }] }) as const,
  ),
};
