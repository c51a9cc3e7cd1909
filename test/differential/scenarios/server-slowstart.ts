import { get, ok, type Scenario, web } from '../scenario.ts';

const requests = Array.from({ length: 8 }, (_, index) => [get(`/${index}`), { responses: index + 1 }]).flat();

export const scenario: Scenario = {
  title: 'a server that has just come up gets a small share',
  config: web(
    'option httpchk GET /check\n  server a {server:a} check inter 100 rise 1 fall 1 slowstart 100s\n  server b {server:b}',
  ),
  servers: {
    a: {
      answers: [[ok('x')]],
      checks: [
        [{ send: 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n' }],
        [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' }],
      ],
    },
    b: { answers: [[ok('x')]] },
  },
  mayDiffer: [
    { pattern: /check duration: \d+ms/, to: '', why: 'the first checks run while the other programs still start' },
  ],
  clients: [{ to: 'web', steps: [{ log: 'is UP' }, { pause: 200 }, ...requests] }],
};
