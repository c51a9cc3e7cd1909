import { get, httpDefaults, type Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a frontend without a backend: status 503',
  config: `${httpDefaults}
frontend web
  bind {bind:web}
`,
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
