import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'a WebSocket upgrade without its key is refused',
  config: web('server a {server:a}'),
  servers: abc,
  clients: [{ to: 'web', steps: [get('/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), { end: true }] }],
};
