import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a client that stops within its body is answered and closed',
  config: web('server a {server:a}', 'timeout client 300ms'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf' }, { end: true }] },
  ],
};
