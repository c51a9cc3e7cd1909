import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'absolute targets, stars and odd characters pass as they are',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'GET http://h/abs?x HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
    { to: 'web', steps: [{ send: 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
    { to: 'web', steps: [get('/a//b/../c/./%2e%2E/%zz?q=[]{}|^`"'), { responses: 1 }] },
    { to: 'web', steps: [{ send: '\r\n\r\nGET /after-empty-lines HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
    { to: 'web', steps: [{ send: 'BREW /tea HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
  ],
};
