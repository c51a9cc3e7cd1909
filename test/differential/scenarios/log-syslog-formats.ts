import { abc, gets, httpDefaults, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'each syslog format, len, facility, tag and host name',
  config: web(
    'server a {server:a}',
    '',
    `global
  nbthread 1
  log-send-hostname bob
  log-tag mine
${['rfc3164', 'rfc5424', 'local', 'priority', 'short', 'timed', 'iso', 'raw'].map((format, index) => `  log {log} len ${100 + index} format ${format} local${index}`).join('\n')}
  log {log} local0
${httpDefaults.replace(/^[\s\S]*defaults/, 'defaults')}`,
  ),
  servers: abc,
  unordered: true,
  clients: [{ to: 'web', steps: gets(1) }],
  mayDiffer: [
    {
      pattern: /(\{client 1\}|\{date\}).*/,
      to: '$1…',
      why: 'the numbers of digits of port and process id move the cut',
    },
  ],
};
