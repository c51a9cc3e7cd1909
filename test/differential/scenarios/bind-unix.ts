import { abc, get, httpDefaults, type Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client over a unix socket has no address to forward',
  config: `${httpDefaults}
frontend web
  bind {unix:web}
  option forwardfor
  default_backend servers
backend servers
  server a {server:a}
`,
  servers: abc,
  clients: [{ to: 'web', steps: [get(), { responses: 1 }] }],
};
