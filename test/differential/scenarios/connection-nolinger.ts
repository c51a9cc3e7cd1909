import { abc, get, httpDefaults, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option nolinger: the answer arrives whole all the same',
  config: web('server a {server:a}', '', `${httpDefaults}  option nolinger\n`),
  servers: abc,
  clients: [
    { to: 'web', steps: [get(), { responses: 1 }] },
    { to: 'web', steps: [get('/', 'Connection: close\r\n'), { responses: 1 }] },
  ],
};
