import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a kept server connection that closes as it is used again: the request was idempotent',
  config: web('server a {server:a}'),
  servers: { a: { answers: [[ok('one')], [{ finish: true }], [ok('again')]] } },
  clients: [{ to: 'web', steps: gets(2) }],
  deviation: {
    why: 'nothing was received on a reused connection, so a GET is sent once more (RFC 9110 §9.2.2); HAProxy closes and leaves the retry to the client',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {4}\(length\) "again"/, /log .* 200 .* "GET \/2 /],
  },
};
