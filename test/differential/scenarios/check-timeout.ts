import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that does not answer its check goes down',
  config: web(`timeout check 150ms
  option httpchk GET /check
  server a {server:a} check inter 200ms fall 1`),
  servers: { a: { ...abc['a']!, checks: [[{ end: true }]] } },
  clients: [{ to: 'web', steps: [{ log: 'is DOWN' }] }],
};
