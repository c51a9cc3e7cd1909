import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'monitor-uri is answered here and reaches no server',
  config: web('server a {server:a}', 'monitor-uri /alive'),
  servers: abc,
  clients: [
    { to: 'web', steps: [get('/alive'), { responses: 1 }, get('/other'), { responses: 2 }] },
    { to: 'web', steps: [{ send: 'HEAD /alive HTTP/1.0\r\n\r\n' }, { responses: 1 }] },
  ],
};
