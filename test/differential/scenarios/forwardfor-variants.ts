import { abc, gets, httpDefaults, type Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'forwardfor with another header, if-none, and except',
  config: `${httpDefaults}
listen other
  bind {bind:other}
  option forwardfor header X-Client
  server a {server:a}
listen none
  bind {bind:none}
  option forwardfor if-none
  server a {server:a}
listen except
  bind {bind:except}
  option forwardfor except 127.0.0.0/8
  server a {server:a}
`,
  servers: abc,
  clients: [
    { to: 'other', steps: gets(1, 'X-Client: 1.2.3.4\r\n') },
    { to: 'none', steps: gets(1) },
    { to: 'none', steps: gets(1, 'X-Forwarded-For: 10.1.1.1\r\n') },
    { to: 'except', steps: gets(1) },
  ],
};
