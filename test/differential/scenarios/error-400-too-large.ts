import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a head larger than the buffer gets status 400',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/', `X-Big: ${'x'.repeat(17_000)}\r\n`), { end: true }] }],
};
