import { abc, gets, type Scenario, web } from '../scenario.ts';

const answer = (status: number) =>
  [{ send: `HTTP/1.0 ${status} X\r\nContent-Length: 0\r\n\r\n` }, { finish: true }] as const;

export const scenario: Scenario = {
  title: 'a server that fails its http check goes down, and comes back',
  config: web(`option httpchk GET /check
  http-check expect status 200
  default-server check inter 100ms rise 2 fall 3
  server a {server:a}
  server b {server:b}`),
  servers: {
    a: { ...abc['a']!, checks: [answer(200), answer(500), answer(503), answer(500), answer(200), answer(200)] },
    b: { ...abc['b']!, checks: [answer(200)] },
  },
  clients: [
    { to: 'web', steps: [{ log: 'is DOWN' }, ...gets(2), { log: 'is UP' }] },
    { to: 'web', steps: gets(2) },
  ],
};
