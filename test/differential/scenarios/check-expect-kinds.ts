import { httpDefaults, type Scenario } from '../scenario.ts';

const kinds = [
  'string fine',
  'rstring fi+ne',
  'rstatus ^2..$',
  '! string broken',
  '! rstring bro+',
  '! status 404',
  'status 200-299',
];
const answer = (status: string, body: string) =>
  [{ send: `HTTP/1.0 ${status}\r\n\r\n${body}` }, { finish: true }] as const;

export const scenario: Scenario = {
  title: 'http-check expect: string, rstring, rstatus and their negations',
  config: `${httpDefaults}
frontend web
  bind {bind:web}
${kinds
  .map(
    (kind, index) => `backend b${index}
  option httpchk GET /check
  http-check expect ${kind}
  default-server check inter 80ms fall 1 rise 1
  server a {server:a}
`,
  )
  .join('')}`,
  servers: {
    a: {
      answers: [[]],
      checks: [
        ...kinds.map(() => answer('200 OK', 'all fine')),
        ...kinds.map(() => answer('404 Broken', 'broooken, broken')),
      ],
    },
  },
  unordered: true,
  clients: [{ to: 'web', steps: kinds.map((_, index) => ({ log: `Server b${index}/a is DOWN` })) }],
  mayDiffer: [{ pattern: /^(log .* is UP).*/, to: '', why: 'which backend is asked first after all is chance' }],
};
