import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a safe request whose server dies goes to another one',
  config: web('server a {server:a}\n  server b {server:b}'),
  servers: { a: { answers: [[{ reset: true }]] }, b: { answers: [[ok('b')]] } },
  clients: [
    { to: 'web', steps: [get('/safe'), { responses: 1 }] },
    {
      to: 'web',
      steps: [{ send: 'POST /again HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n' }, { responses: 1 }],
    },
  ],
  deviation: {
    why: 'HAProxy answers 502 unless retry-on says otherwise; here the death of a server costs clients no failed request where RFC 9110 §9.2.2 allows it',
    lines: ['client 1', 'client 2', 'server a', 'server b', 'log'],
    evergate: [
      /client 1 {2}HTTP\/1.1 200 OK/,
      /server b {2}GET \/safe/,
      /servers\/b .* 200 .* ---- .*\/\+1 0\/0 "GET \/safe/,
    ],
  },
};
