/** nginx as a proxy. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Setting } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  program: 'nginx',
  install: 'apt-get install nginx-light',
  version: ['-v'],
  // Its TCP module is a package of its own.
  can: (variant) => variant.mode === 'http',
  start: (setting) => ({ command: 'nginx', args: ['-c', configuration(setting), '-p', setting.folder] }),
};

function configuration({ variant, port, serverPorts, logPort, folder }: Setting): string {
  const { log, close, threads } = variant;
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    file,
    `daemon off; pid ${file}.pid; error_log ${file}.log; worker_processes ${threads}; worker_rlimit_nofile 40000;
events { worker_connections 16000; }
http {
  ${temporaryFolders(folder)}
  access_log ${log ? `syslog:server=127.0.0.1:${logPort} combined` : 'off'};
  keepalive_requests 1000000000; keepalive_timeout ${close === 'both' ? 0 : 300}s;
  upstream servers { ${serverPorts.map((one) => `server 127.0.0.1:${one};`).join(' ')}
    ${close === 'both' ? '' : 'keepalive 1024; keepalive_requests 1000000000;'} }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    client_max_body_size 0;
    location / {
      proxy_pass http://servers; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection "${close === 'both' ? 'close' : ''}"; proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}\n`,
  );
  return file;
}

/** nginx makes these even where it never writes to them. */
export function temporaryFolders(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
}
