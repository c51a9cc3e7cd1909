import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an HTTP/1.0 client is served and closed, unless it asks to be kept',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'GET /1 HTTP/1.0\r\n\r\n' }, { end: true }] },
    {
      to: 'web',
      steps: [{ send: 'GET /2 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n' }, { responses: 1 }],
    },
  ],
};
