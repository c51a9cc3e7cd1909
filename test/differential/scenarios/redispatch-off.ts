import { abc, get, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'no option redispatch keeps a request with its server',
  config: web('no option redispatch\n  retries 1\n  balance roundrobin\n  server a {refused:a}\n  server b {server:b}'),
  servers: { b: abc['b']! },
  clients: [
    { to: 'web', steps: [get('/1'), { end: true }] },
    { to: 'web', steps: gets(1) },
  ],
};
