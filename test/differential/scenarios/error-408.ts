import { abc, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a request that takes too long gets status 408; a connection without any request too',
  config: web('server a {server:a}', 'timeout http-request 300ms'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ send: 'GET / HTTP/1.1\r\nHos' }, { end: true }] },
    { to: 'web', steps: [{ end: true }] },
  ],
};
