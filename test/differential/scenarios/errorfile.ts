import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an errorfile replaces the page, byte for byte',
  config: web('errorfile 503 {file:sorry}\n  server a {server:a} disabled'),
  files: { sorry: 'HTTP/1.0 503 Sorry\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\n\r\nBack soon.\n' },
  servers: abc,
  clients: [{ to: 'web', steps: [get(), { end: true }] }],
  mayDiffer: [
    { pattern: / 503 \d+ /, to: ' 503 {bytes} ', why: 'HAProxy counts the bytes of its inner form of the page' },
  ],
};
