import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'the last server down: an emerg line, and status 503',
  config: web('server a {refused:a} check inter 100ms fall 1'),
  clients: [{ to: 'web', steps: [{ log: 'has no server available' }, get(), { end: true }] }],
};
