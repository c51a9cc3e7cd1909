import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an errorfile replaces the page, byte for byte',
  config: web('errorfile 503 {file:sorry}\n  server a {server:a} disabled', 'errorfile 400 {file:bad}'),
  files: {
    sorry: 'HTTP/1.0 503 Sorry\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\n\r\nBack soon.\n',
    bad: 'HTTP/1.1 400 Nope\r\nContent-Length: 5\r\nX-Own: yes\r\n\r\nnope\n',
  },
  servers: abc,
  clients: [
    { to: 'web', steps: [get(), { end: true }] },
    { to: 'web', steps: [{ send: 'BAD\r\n\r\n' }, { end: true }] },
  ],
};
