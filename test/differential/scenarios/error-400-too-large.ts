import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a head larger than the buffer gets status 400',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/', `X-Big: ${'x'.repeat(17_000)}\r\n`), { end: true }] }],
  deviation: {
    why: 'RFC 6585 §5 has a status for it, which later versions of HAProxy send too',
    lines: ['client 1', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 431 /, /log .* 431 .* PR-- /],
  },
};
