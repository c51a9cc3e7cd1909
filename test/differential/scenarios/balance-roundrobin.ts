import { abc, gets, type Scenario, serverLines, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'requests of one connection go to the servers in turn',
  config: web(`balance roundrobin
  ${serverLines}`),
  servers: abc,
  connections: true,
  clients: [{ to: 'web', steps: gets(7) }],
};
