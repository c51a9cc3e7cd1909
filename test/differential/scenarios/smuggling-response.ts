import { get, type Scenario, web } from '../scenario.ts';

const heads = [
  'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  'Content-Length: 1, 1\r\n\r\na',
  'Content-Length: x\r\n\r\na',
  'X A: b\r\nContent-Length: 1\r\n\r\na',
  'Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n',
];

export const scenario: Scenario = {
  title: 'responses with ambiguous framing',
  config: web('server a {server:a}'),
  servers: {
    a: { answers: heads.map((head) => [{ send: `HTTP/1.1 200 OK\r\n${head}` }, { pause: 50 }, { finish: true }]) },
  },
  clients: heads.map((_, index) => ({ to: 'web', steps: [get(`/${index}`), { responses: 1 }] })),
};
