import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an errorfile for requests that cannot be read',
  config: web('server a {server:a}', 'errorfile 400 {file:bad}'),
  files: { bad: 'HTTP/1.1 400 Nope\r\nContent-Length: 5\r\nX-Own: yes\r\n\r\nnope\n' },
  servers: abc,
  clients: [{ to: 'web', steps: [{ send: 'BAD\r\n\r\n' }, { end: true }] }],
  deviation: {
    why: 'the configuration asks for its own page; HAProxy 2.6 sends the built-in one when its HTTP/1 parser refuses',
    lines: ['client 1'],
    evergate: [/client 1 {2}HTTP\/1\.1 400 Nope/, /client 1 {4}\(length\) "nope\\n"/],
  },
};
