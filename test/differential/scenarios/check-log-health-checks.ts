import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "option log-health-checks tells of every change of a check's result",
  config: web(`option httpchk GET /check
  option log-health-checks
  server a {server:a} check inter 100ms fall 2 rise 2`),
  servers: {
    a: {
      ...abc['a']!,
      checks: [200, 500, 200, 500, 500, 200, 200].map(
        (status) => [{ send: `HTTP/1.0 ${status} X\r\n\r\n` }, { finish: true }] as const,
      ),
    },
  },
  clients: [{ to: 'web', steps: [{ log: 'is DOWN' }, { log: 'is UP' }] }],
};
