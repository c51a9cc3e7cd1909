import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a refused connection is tried again, then: status 503',
  config: web('retries 1\n  server a {refused:a}'),
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
