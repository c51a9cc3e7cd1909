import { abc, type Scenario, web } from '../scenario.ts';

const codings = [
  'gzip',
  'chunked, chunked',
  'chunked, identity',
  'identity',
  'xchunked',
  'chunked\r\nTransfer-Encoding: chunked',
];

export const scenario: Scenario = {
  title: 'lists of transfer codings that nobody can read for sure',
  config: web('server a {server:a}'),
  servers: abc,
  clients: codings.map((coding) => ({
    to: 'web',
    steps: [{ send: `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n` }, { responses: 1 }],
  })),
};
