import { abc, get, gets, type Scenario, serverLines, web } from '../scenario.ts';

const users = ['ann', 'bob', 'carol', 'dave', 'eve', 'ann'];

export const scenario: Scenario = {
  title: "hdr chooses by a header's value, and takes turns without it",
  config: web(`balance hdr(X-User)
  ${serverLines}`),
  servers: abc,
  clients: [
    ...users.map((user) => ({ to: 'web', steps: [get('/', `x-user: ${user}\r\n`), { responses: 1 }] })),
    { to: 'web', steps: gets(3) },
  ],
};
