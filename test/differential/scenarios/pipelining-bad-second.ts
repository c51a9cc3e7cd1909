import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a second request that is wrong does not spoil the first answer',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    {
      to: 'web',
      steps: [{ send: 'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 BAD\r\nHost: h\r\n\r\n' }, { end: true }],
    },
  ],
};
