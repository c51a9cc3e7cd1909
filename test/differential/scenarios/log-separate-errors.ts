import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option log-separate-errors raises the level of errors',
  config: web('server a {server:a}', 'option log-separate-errors'),
  servers: {
    a: {
      answers: [
        [ok('fine')],
        [{ send: 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n' }],
        [{ send: 'no http\r\n\r\n' }, { finish: true }],
      ],
    },
  },
  clients: [{ to: 'web', steps: gets(3) }],
};
