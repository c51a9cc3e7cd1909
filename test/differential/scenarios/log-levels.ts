import { gets, httpDefaults, ok, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a log target takes only its levels, and caps the severe ones',
  config: web(
    'server a {server:a}',
    'option log-separate-errors',
    httpDefaults.replace(
      'log {log} local0',
      'log {log} local0 err\n  log {log} local1 info notice\n  log {log} local2 alert',
    ),
  ),
  servers: { a: { answers: [[ok('fine')], [{ send: 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n' }]] } },
  clients: [{ to: 'web', steps: gets(2) }],
};
