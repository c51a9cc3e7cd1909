/** HAProxy, and Evergate on the same file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Setting } from './peer.ts';

const evergateProgram = join(import.meta.dirname, '../../bin/evergate');

export const haproxy: Peer = {
  name: 'haproxy',
  program: 'haproxy',
  install: 'apt-get install haproxy',
  version: ['-v'],
  can: () => true,
  start: (setting) => ({ command: 'haproxy', args: ['-db', '-q', '-f', configuration(setting)] }),
};

function evergate(io: 'uring' | 'net'): Peer {
  return {
    name: `evergate-${io}`,
    program: evergateProgram,
    install: 'npm install',
    version: ['--version'],
    can: () => true,
    start: (setting) => ({
      command: evergateProgram,
      args: ['balance', '-q', `--io=${io}`, '-f', configuration(setting)],
    }),
  };
}

export const evergateUring = evergate('uring');
export const evergateNet = evergate('net');

function configuration({ variant, port, serverPorts, logPort, folder }: Setting): string {
  const { mode, log, close, threads } = variant;
  const lines = [
    'global',
    `  nbthread ${threads}`,
    `  maxconn ${variant.idle > 0 ? variant.idle + 400 : 4096}`,
    ...(log ? [`  log 127.0.0.1:${logPort} local0`] : []),
    'defaults',
    `  mode ${mode}`,
    '  timeout connect 5s',
    '  timeout client 300s',
    '  timeout server 300s',
    ...(log ? ['  log global', '  option httplog'] : []),
    ...(mode === 'http' ? ['  option forwardfor'] : []),
    ...(close === 'both' ? ['  option httpclose'] : []),
    'frontend f',
    `  bind 127.0.0.1:${port}`,
    '  default_backend b',
    'backend b',
    '  balance roundrobin',
    ...serverPorts.map((one, i) => `  server s${i + 1} 127.0.0.1:${one} check inter 2s`),
  ];
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
