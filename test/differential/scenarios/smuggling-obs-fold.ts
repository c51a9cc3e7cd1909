import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a folded header line in a request',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/', 'X-A: one\r\n two\r\n'), { responses: 1 }] }],
  deviation: {
    why: 'RFC 9112 §5.2: a folded line is refused or unfolded; readers differ in how, so it is refused',
    lines: ['client 1', 'server a', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /^(?![\s\S]*server a)/, /log .* 400 .* PR-- /],
  },
};
