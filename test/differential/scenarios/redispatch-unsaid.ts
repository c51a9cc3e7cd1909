import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a refused request that is tied to no server reaches another one',
  config: web('balance roundrobin\n  server a {refused:a}\n  server b {server:b}'),
  servers: { b: abc['b']! },
  clients: [{ to: 'web', steps: [get('/1'), { pause: 20 }, { until: 'HTTP/1.1' }] }],
  deviation: {
    why: 'where nothing ties a request to its server, Evergate tries another at once; HAProxy retries the dead one and answers 503',
    lines: ['client 1', 'server b', 'log'],
    evergate: [/client 1 {2}HTTP\/1\.1 200 OK/, /server b {2}GET \/1/, / servers\/b .* 200 .*\/\+1 /],
  },
};
