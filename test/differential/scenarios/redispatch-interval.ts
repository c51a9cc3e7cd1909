import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option redispatch 2 moves a request with its second retry',
  config: web(
    'option redispatch 2\n  retries 3\n  timeout connect 300ms\n  balance leastconn\n  server a {refused:a} weight 9\n  server b {server:b}',
  ),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
  deviation: {
    why: 'the manual counts retries from the first one; HAProxy 2.6 counts those that are left, and moves with the first of three',
    lines: ['log'],
    evergate: [/servers\/b .* 200 .*\/\+2 0\/0 /],
  },
};
