/** The tool that HAProxy's users count their logs with reads ours: halog(1), of Debian's haproxy package. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../requirements.ts';

test('halog counts what was logged, by status and by server', { skip: needs('halog'), timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-halog-'));
  const web = createServer((request, response) => response.writeHead(request.url === '/no' ? 404 : 200).end('x'));
  const receiver = createSocket('udp4');
  let balancer: ChildProcess | undefined;
  t.after(() => {
    balancer?.kill('SIGKILL');
    receiver.close();
    web.close();
    web.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  web.listen(0, '127.0.0.1');
  receiver.bind(0, '127.0.0.1');
  await Promise.all([once(web, 'listening'), once(receiver, 'listening')]);
  const webPort = (web.address() as AddressInfo).port;
  const front = createServer().listen(0, '127.0.0.1');
  await once(front, 'listening');
  const port = (front.address() as AddressInfo).port;
  await once(front.close(), 'close');
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  log 127.0.0.1:${receiver.address().port} local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  default_backend servers
backend servers
  server one 127.0.0.1:${webPort}
`,
  );
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  balancer = spawn(process.execPath, [main, 'balance', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  // The first word on standard error tells which sockets are used; the port answers soon after.
  const lines: string[] = [];
  const wanted = 12;
  const all = new Promise<void>((resolve) => {
    receiver.on('message', (bytes) => {
      // As a log daemon writes it to its file: without the priority, with the host it came from.
      const line = bytes.toString().replace(/^<\d+>(.{15}) /, '$1 host ');
      if (line.includes(' web servers/')) lines.push(line);
      if (lines.length === wanted) resolve();
    });
  });
  for (let done = 0; done < wanted; ) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${done % 4 === 3 ? '/no' : '/'}`);
      await response.text();
      done++;
    } catch {
      // Not bound yet.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await all;
  const halog = (...argv: readonly string[]) => {
    const result = spawnSync('halog', argv, { input: lines.join(''), encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const statuses = halog('-st', '-q').trim().split('\n');
  assert.deepEqual(statuses.sort(), ['200 9', '404 3']);
  assert.match(halog('-srv', '-q'), /^servers\/one .* 12 /m);
});
