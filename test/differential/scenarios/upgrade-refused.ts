import { abc, get, type Scenario, web } from '../scenario.ts';

const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

export const scenario: Scenario = {
  title: 'a server that does not switch answers as usual',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/chat', upgrade), { responses: 1 }, get('/2'), { responses: 2 }] }],
};
