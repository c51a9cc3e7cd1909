import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'what is no HTTP gets status 400',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [
    'BAD\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/1.1 x\r\n\r\n',
    'G(T / HTTP/1.1\r\nHost: h\r\n\r\n',
    '\x16\x03\x01\x02',
  ].map((send) => ({ to: 'web', steps: [{ send }, { end: true }] })),
};
