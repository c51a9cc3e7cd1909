import { get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'an errorfile answers HEAD, HTTP/1.0 and a kept connection',
  config: web('server a {refused:a} disabled', 'errorfile 503 {file:sorry}').replace(
    'frontend web',
    'frontend bare\n  bind {bind:bare}\n  default_backend servers\n  errorfile 503 {file:bare}\nfrontend web',
  ),
  files: {
    sorry:
      'HTTP/1.0 503 Sorry\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nsorry',
    bare: 'HTTP/1.1 503 Sorry\r\nConnection: close\r\nX-Why: maintenance\r\n\r\nno length',
  },
  clients: [
    { to: 'web', steps: [get(), { responses: 1 }, get(), { responses: 2 }] },
    { to: 'web', steps: [{ send: 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n' }, { responses: 1 }] },
    { to: 'bare', steps: [get(), { responses: 1 }, get(), { responses: 2 }] },
    { to: 'web', steps: [{ send: 'GET / HTTP/1.0\r\n\r\n' }, { responses: 1 }] },
  ],
};
