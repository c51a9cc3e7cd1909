import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option redispatch moves a request with its last retry',
  config: web('option redispatch\n  retries 2\n  balance roundrobin\n  server a {refused:a}\n  server b {server:b}'),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
};
