import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: '103 Early Hints pass, and the exchange goes on',
  config: web('server a {server:a}'),
  servers: {
    a: {
      answers: [
        [
          { send: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' },
          { pause: 40 },
          { send: 'HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n' },
          ok('page'),
        ],
      ],
    },
  },
  clients: [{ to: 'web', steps: gets(2) }],
};
