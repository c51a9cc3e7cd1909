import { abc, gets, type Scenario, serverLines, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'source sends one client to one server, always',
  config: web(`balance source
  ${serverLines}`),
  servers: abc,
  clients: [
    { to: 'web', steps: gets(3) },
    { to: 'web', steps: gets(1) },
  ],
};
