import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that closes without an answer: status 502',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[{ finish: true }], [{ reset: true }]] } },
  clients: [
    { to: 'web', steps: [get('/close'), { end: true }] },
    { to: 'web', steps: [get('/reset'), { end: true }] },
  ],
};
