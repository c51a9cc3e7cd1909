/** What stands behind the proxies: three static web servers, and a receiver for log lines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolders } from './peers/nginx.ts';
import { type Children, installed, reachable } from './processes.ts';

export const answerSizes = [512, 65_536, 1_048_576] as const;

/**
 * Starts servers on three ports: GET /<bytes> answers with as many. nginx where it is installed. Ports two apart take uploads, which
 * nginx answers before it has read them: there our own server stands.
 */
export async function startServers(
  children: Children,
  on: string,
  folder: string,
  ports: { readonly down: readonly number[]; readonly up: readonly number[]; readonly log: number },
): Promise<void> {
  const own = (which: readonly number[]) =>
    children.start(on, process.execPath, [join(import.meta.dirname, 'load/web-server.ts'), ...which.map(String)]);
  own(ports.up);
  if (installed('nginx')) startNginx(children, on, folder, ports.down);
  else own(ports.down);
  children.start(on, process.execPath, [join(import.meta.dirname, 'load/log-receiver.ts'), String(ports.log)]);
  for (const port of [...ports.down, ...ports.up]) await reachable(port);
}

function startNginx(children: Children, on: string, folder: string, ports: readonly number[]): void {
  const pages = join(folder, 'pages');
  mkdirSync(pages);
  for (const bytes of answerSizes) writeFileSync(join(pages, String(bytes)), 'x'.repeat(bytes));
  const file = join(folder, 'servers.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000; pid ${file}.pid; error_log ${file}.log;
events { worker_connections 8192; }
http {
  ${temporaryFolders(folder)}
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; sendfile on; open_file_cache max=10;
  server { ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')} root ${pages}; }
}\n`,
  );
  children.start(on, 'nginx', ['-c', file, '-p', folder]);
}
