import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'Hosts that contradict each other or the target',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'GET /3 HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n' }, { responses: 1 }] },
    { to: 'web', steps: [{ send: 'GET http://i/4 HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
  ],
};
