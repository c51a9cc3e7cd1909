import { abc, gets, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: "option forwardfor adds the client's address behind what is there",
  config: web('option forwardfor\n  server a {server:a}'),
  servers: abc,
  clients: [
    { to: 'web', steps: gets(1) },
    { to: 'web', steps: gets(1, 'X-Forwarded-For: 10.1.1.1\r\n') },
  ],
};
