import { type Scenario, tcpDefaults, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'tcp mode passes bytes both ways',
  config: web('server a {server:a}', '', tcpDefaults),
  servers: {
    a: {
      kind: 'tcp',
      answers: [[{ send: '220 hello\r\n' }, { until: 'QUIT' }, { send: '221 bye\r\n' }, { finish: true }]],
    },
  },
  clients: [{ to: 'web', raw: true, steps: [{ until: 'hello' }, { send: 'QUIT\r\n' }, { end: true }] }],
};
