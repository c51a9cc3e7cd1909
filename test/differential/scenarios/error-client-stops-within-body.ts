import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that stops within its body is answered and closed',
  config: web('server a {server:a}', 'timeout client 300ms'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf' }, { end: true }] },
  ],
  deviation: {
    why: 'the client is late, so it is told (408) and blamed, as the manual says (8.5, cH and cD); HAProxy 2.6 waits for the server and blames that',
    lines: ['client 1', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 408 /, /log .* 408 .* c[HD]-- /],
  },
};
