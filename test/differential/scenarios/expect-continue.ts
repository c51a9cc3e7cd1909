import { ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: '100 Continue comes through before the body is sent',
  config: web('server a {server:a}'),
  servers: {
    a: {
      early: true,
      answers: [[{ send: 'HTTP/1.1 100 Continue\r\n\r\n' }, { until: 'hello' }, ok('thanks')]],
    },
  },
  clients: [
    {
      to: 'web',
      steps: [
        { send: 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n' },
        { until: '100 Continue' },
        { send: 'hello' },
        { responses: 1 },
      ],
    },
  ],
};
