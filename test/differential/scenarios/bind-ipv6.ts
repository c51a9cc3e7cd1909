import { abc, get, httpDefaults, type Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client over IPv6: its address is logged and forwarded',
  config: `${httpDefaults}
frontend web
  bind {bind6:web} v6only
  option forwardfor
  default_backend servers
backend servers
  server a {server:a}
`,
  servers: abc,
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
};
