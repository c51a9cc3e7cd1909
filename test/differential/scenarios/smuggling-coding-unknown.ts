import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a transfer coding besides chunked',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' },
        { responses: 1 },
      ],
    },
  ],
  mayDiffer: [
    {
      pattern: /^client 1 {4}connection: close$/,
      to: '',
      why: 'HAProxy closes too, its page for 422 only forgets to say so',
    },
  ],
};
