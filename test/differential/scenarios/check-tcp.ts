import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that refuses its tcp check goes down with the reason',
  config: web(`server a {refused:a} check inter 100ms fall 2
  server b {server:b}`),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: [{ log: 'is DOWN' }, ...gets(2)] }],
};
