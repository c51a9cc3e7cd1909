import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'the backup server serves while the active one is down',
  config: web('server a {refused:a} check inter 100ms fall 1\n  server b {server:b} backup'),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: [{ log: 'is DOWN' }, ...gets(2)] }],
};
