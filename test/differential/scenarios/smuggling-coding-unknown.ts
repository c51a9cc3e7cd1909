import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a transfer coding besides chunked',
  config: web('server a {server:a}'),
  servers: abc,
  clients: ['gzip, chunked', ' ,chunked'].map((coding) => ({
    to: 'web',
    steps: [{ send: `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n` }, { responses: 1 }],
  })),
  deviation: {
    why: 'RFC 9112 §6.1 names 501 for a coding that is not understood; HAProxy answers 422, and so it does for an empty list element',
    lines: ['client 1', 'client 2', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 501 /, /client 2 {2}HTTP\/1\.1 400 /],
  },
};
