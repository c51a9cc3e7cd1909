import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a server that does not answer in time: status 504',
  config: web('timeout server 300ms\n  server a {server:a}'),
  servers: { a: { answers: [[{ end: true }]] } },
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
};
