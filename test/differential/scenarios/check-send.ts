import { abc, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'http-check send: method, target, headers and body',
  config: web(`option httpchk
  http-check send meth POST uri /check/me ver HTTP/1.1 hdr Host h hdr X-A b body hello
  server a {server:a} check inter 100ms fall 1
  option log-health-checks`),
  servers: { a: { ...abc['a']!, checks: [[ok('')], [{ send: 'HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n' }]] } },
  clients: [{ to: 'web', steps: [{ log: 'is DOWN' }] }],
};
