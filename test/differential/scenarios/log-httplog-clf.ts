import { abc, get, httpDefaults, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option httplog clf',
  config: web('server a {server:a}', '', httpDefaults.replace('httplog', 'httplog clf')),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/x?y="'), { responses: 1 }, { send: 'BAD\r\n\r\n' }, { end: true }] }],
  mayDiffer: [
    { pattern: / (?:\d+)(?= "web")/, to: ' {ms}', why: 'milliseconds of the date' },
    { pattern: /(?<=" )(-?\d+ ){5}(?=[\w-]{4} )/, to: '{timers} ', why: 'timers' },
  ],
};
