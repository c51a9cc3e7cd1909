import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'option dontlognull keeps silent about connections without a byte',
  config: web('server a {server:a}', 'option dontlognull\n  timeout http-request 200ms\n  timeout http-keep-alive 2s'),
  servers: abc,
  clients: [
    { to: 'web', steps: [{ close: true }] },
    { to: 'web', steps: [{ end: true }] },
    { to: 'web', steps: [{ send: 'G' }, { end: true }] },
    { to: 'web', steps: gets(1) },
  ],
};
