import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an empty element in the list of transfer codings',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [{ send: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n' }, { responses: 1 }],
    },
  ],
  deviation: {
    why: 'not a coding that we lack (422) but one that nobody sends in good faith; HAProxy answers 422',
    lines: ['client 1', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 /, /log .* 400 .* PR-- /],
  },
};
