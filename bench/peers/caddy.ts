/** Caddy as a reverse proxy. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Setting } from './peer.ts';

export const caddy: Peer = {
  name: 'caddy',
  program: 'caddy',
  install: 'apt-get install caddy',
  version: ['version'],
  can: (variant) => variant.mode === 'http',
  start: (setting) => ({
    command: 'caddy',
    args: ['run', '--adapter', 'caddyfile', '--config', configuration(setting)],
    environment: { GOMAXPROCS: String(setting.variant.threads), HOME: setting.folder, XDG_DATA_HOME: setting.folder },
  }),
};

function configuration({ variant, port, serverPorts, logPort, folder }: Setting): string {
  const file = join(folder, `caddy-${port}`);
  const servers = serverPorts.map((one) => `127.0.0.1:${one}`).join(' ');
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  ${variant.log ? `log {\n    output net udp/127.0.0.1:${logPort}\n  }` : ''}
  reverse_proxy ${servers} {
    lb_policy round_robin
    transport http {
      ${variant.close === 'both' ? 'keepalive off' : 'keepalive 300s\n      keepalive_idle_conns_per_host 1024'}
    }
  }
}\n`,
  );
  return file;
}
