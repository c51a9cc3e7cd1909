import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an idle kept connection is closed without a word, a half request on it gets 408',
  config: web('server a {server:a}', 'timeout http-keep-alive 300ms\n  timeout http-request 500ms'),
  servers: abc,
  clients: [
    { to: 'web', steps: [get('/1'), { responses: 1 }, { end: true }] },
    { to: 'web', steps: [get('/1'), { responses: 1 }, { send: 'GET /2 HT' }, { end: true }] },
  ],
};
