import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'no usable server: status 503',
  config: web('server a {server:a} disabled'),
  servers: abc,
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
