import { gets, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option dontlog-normal tells only of what went wrong',
  config: web('server a {server:a}', 'option dontlog-normal'),
  servers: {
    a: {
      answers: [
        [ok('fine')],
        [{ send: 'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n' }],
        [{ send: 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n' }],
      ],
    },
  },
  clients: [{ to: 'web', steps: gets(3) }],
};
