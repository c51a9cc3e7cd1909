import { abc, type Scenario, web } from '../scenario.ts';

const heads = [
  'POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
  'POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4, 5\r\n\r\nabcde',
  'POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\nabcd',
  'POST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n\r\nabcd',
  'POST /5 HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nabcd',
  'GET /6 HTTP/1.1\r\nHost : h\r\n\r\n',
  'GET /7 HTTP/1.1\r\nHost: h\r\n: empty name\r\n\r\n',
  'GET /8 HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n',
  'GET /10\0 HTTP/1.1\r\nHost: h\r\n\r\n',
  'GET /11 HTTP/1.1\r\nHost: h\r\nX-A: b\rX-B: c\r\n\r\n',
  'GET /12 HTTP/11.1\r\nHost: h\r\n\r\n',
  'GET /13 HTTP/1.1\r\nHost: h\r\nX (A): b\r\n\r\n',
];

export const scenario: Scenario = {
  title: 'ambiguous framing and broken syntax that both refuse',
  config: web('server a {server:a}'),
  servers: abc,
  clients: heads.map((send) => ({ to: 'web', steps: [{ send }, { responses: 1 }] })),
};
