/**
 * CPU a request costs through each Streams adapter, beside HAProxy, in turn and in one run.
 *
 * node bench/adapters/run.ts [rounds [seconds [proxy...]]]      proxies: haproxy, net, uring (the bare adapters), evergate-net, evergate-uring (all of it)
 *
 * In the environment: CONNECTIONS (64), ANSWER_BYTES (512), CLOSE=1 (a new connection for every request; not for the bare adapters).
 * Needs haproxy, nginx and wrk. The figure is user and system time of the proxy's process from /proc/<pid>/stat over the requests
 * that wrk counted: steadier than throughput on a machine that does other things too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 4);
const proxies = process.argv.length > 4 ? process.argv.slice(4) : ['haproxy', 'net', 'uring'];
const connections = Number(process.env['CONNECTIONS'] ?? 64);
const answerBytes = Number(process.env['ANSWER_BYTES'] ?? 512);
const basePort = 23_700 + (process.pid % 50) * 8;
const serverPorts = [0, 1, 2].map((i) => basePort + i);
const folder = mkdtempSync(join(tmpdir(), 'evergate-bench-'));
const children: ChildProcess[] = [];
const ticksPerSecond = 100;

async function main(): Promise<void> {
  await startServers();
  const rows: { proxy: string; cpu: number; user: number; perSecond: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const proxy of proxies) {
      const row = await measure(proxy);
      rows.push({ proxy, ...row });
      console.log(
        `${proxy.padEnd(14)} ${row.cpu.toFixed(2)} µs/request (user ${row.user.toFixed(2)})  ${row.perSecond.toFixed(0)}/s`,
      );
    }
  }
  console.log('\nmedians:');
  for (const proxy of proxies) {
    const mine = rows.filter((row) => row.proxy === proxy);
    const median = (of: (row: (typeof rows)[0]) => number) => mine.map(of).sort((a, b) => a - b)[mine.length >> 1]!;
    console.log(
      `${proxy.padEnd(14)} ${median((r) => r.cpu).toFixed(2)} µs/request, user ${median((r) => r.user).toFixed(2)}`,
    );
  }
}

async function measure(proxy: string): Promise<{ cpu: number; user: number; perSecond: number }> {
  const port = basePort + 4;
  const child = start(proxy, port);
  await reachable(port);
  // Compilers have done most of their work after this.
  wrk(port, 2);
  const before = ticks(child.pid!);
  const { requests, perSecond } = wrk(port, seconds);
  const after = ticks(child.pid!);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // A killed ring keeps its listening socket for some milliseconds.
  await reachable(port, false);
  const microseconds = (count: number) => (count / ticksPerSecond / requests) * 1e6;
  return {
    cpu: microseconds(after.user + after.system - before.user - before.system),
    user: microseconds(after.user - before.user),
    perSecond,
  };
}

function start(proxy: string, port: number): ChildProcess {
  if (proxy === 'haproxy' || proxy.startsWith('evergate')) {
    const file = join(folder, 'haproxy.cfg');
    const servers = serverPorts.map((one, i) => `  server s${i} 127.0.0.1:${one}`).join('\n');
    writeFileSync(
      file,
      `global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 50s\n  timeout server 50s\n  option forwardfor\nfrontend f\n  bind 127.0.0.1:${port}\n  default_backend b\nbackend b\n  balance roundrobin\n${servers}\n`,
    );
    if (proxy === 'haproxy') return run('haproxy', ['-db', '-f', file]);
    const main = join(import.meta.dirname, '../../src/main.ts');
    return run(process.execPath, [main, 'balance', `--io=${proxy.replace('evergate-', '')}`, '-f', file]);
  }
  return run(process.execPath, [
    join(import.meta.dirname, 'forward.ts'),
    proxy,
    String(port),
    ...serverPorts.map(String),
  ]);
}

async function startServers(): Promise<void> {
  writeFileSync(join(folder, 'index.html'), 'x'.repeat(answerBytes));
  const listen = serverPorts.map((port) => `listen 127.0.0.1:${port};`).join(' ');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; sendfile on; open_file_cache max=10; server { ${listen} root ${folder}; } }\n`,
  );
  spawnSync('chmod', ['-R', 'a+rX', folder]);
  run('nginx', ['-c', file, '-p', folder]);
  for (const port of serverPorts) await reachable(port);
}

function run(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  children.push(child);
  return child;
}

async function reachable(port: number, wanted = true): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open === wanted) return;
    await sleep(25);
  }
  throw new Error(wanted ? `nobody listens on port ${port}` : `port ${port} is still served`);
}

function wrk(port: number, duration: number): { requests: number; perSecond: number } {
  const header = process.env['CLOSE'] === '1' ? ['-H', 'Connection: close'] : [];
  const args = [...header, '-t1', `-c${connections}`, `-d${duration}s`, `http://127.0.0.1:${port}/index.html`];
  const { stdout: text, stderr, status, signal } = spawnSync('wrk', args, { encoding: 'utf8' });
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const perSecond = Number(/Requests\/sec:\s*([\d.]+)/.exec(text)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx|Socket errors/.test(text))
    throw new Error(`wrk (${status ?? signal}): ${text}${stderr}`);
  return { requests, perSecond };
}

/** Fields 14 and 15 of /proc/<pid>/stat: user and system time, in ticks. */
function ticks(pid: number): { user: number; system: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return { user: Number(fields[11]), system: Number(fields[12]) };
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
