import { get, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'headers pass: repeated ones, empty ones, odd case and white space',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          ok(
            'a',
            'Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty:\r\nX-Space:  x  y \t \r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n',
          ),
        ],
      ],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        get('/', 'X-A: 1\r\nx-a: 2\r\nX-Empty:\r\nX-Tab:\tv\t\r\nX-Latin: \xe9\xff\r\nX_Under_Score: 1\r\n'),
        { responses: 1 },
      ],
    },
  ],
};
