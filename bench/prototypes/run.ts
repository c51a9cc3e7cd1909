/**
 * Compares ways to forward TCP (tcp-forward.ts) with each other, HAProxy and Evergate, in turn and in one run.
 *
 * node bench/prototypes/run.ts <512|1048576> [--rounds 3] [--seconds 2] [--ways ring-16,splice,sockmap,…,haproxy,evergate]
 *
 * Printed: CPU of the proxy's process for one request, that of the kernel's own threads beside it (what a socket map forwards is
 * counted there), and latency at a fixed rate.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Latency } from '../load/open-loop.ts';
import { saturate } from '../load/throughput.ts';
import { evergateUring, haproxy } from '../peers/haproxy.ts';
import { Children, output, processors, processorTime, serves } from '../processes.ts';
import { startServers } from '../servers.ts';
import { variants } from '../settings.ts';
import { spread } from '../statistics.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    ways: { type: 'string', default: 'haproxy,evergate,ring-16,ring-64,zerocopy-64,splice,splice-ring,sockmap' },
    rate: { type: 'string' },
  },
});
const bytes = Number(positionals[0] ?? 512);
const variant = variants.find((one) => one.mode === 'tcp' && one.bytes === bytes)!;
const seconds = Number(options.seconds);
const ways = options.ways.split(',');
const on = processors(1)!;
const folder = mkdtempSync(join(tmpdir(), 'evergate-bench-'));
const children = new Children();
const basePort = 25_000 + (process.pid % 100) * 20;
const ports = {
  down: [0, 1, 2].map((i) => basePort + i),
  up: [3, 4, 5].map((i) => basePort + i),
  log: basePort + 6,
  firstProxy: basePort + 8,
};

function start(way: string, port: number): ChildProcess {
  const peer = { haproxy, evergate: evergateUring }[way];
  if (peer === undefined)
    return children.start(on.proxy, process.execPath, [
      join(import.meta.dirname, 'tcp-forward.ts'),
      way,
      String(port),
      ...ports.down.map(String),
    ]);
  const { command, args } = peer.start({ variant, port, serverPorts: ports.down, logPort: ports.log, folder });
  return children.start(on.proxy, command, args);
}

/** Microseconds that the kernel's own threads have used. */
function kernelThreadTime(): number {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [name, rest] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
      if (!/\((kworker|ksoftirqd)/.test(name!)) continue;
      const fields = rest!.split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks * 10_000;
}

async function measure(port: number, child: ChildProcess): Promise<Record<string, number>> {
  const before = { own: processorTime(child.pid!), kernel: kernelThreadTime() };
  const { requests, perSecond } = await saturate(children, on.others, variant, port, seconds, folder);
  const after = { own: processorTime(child.pid!), kernel: kernelThreadTime() };
  const rate = Number(options.rate ?? (bytes > 10_000 ? 100 : 3000));
  const load = {
    port,
    perSecond: rate,
    seconds,
    connections: variant.connections,
    path: `/${bytes}`,
    upBytes: 0,
    close: false,
  };
  const text = await output(children, on.others, process.execPath, [
    join(import.meta.dirname, '../load/open-loop.ts'),
    JSON.stringify(load),
  ]);
  const { p50Ms, p99Ms, failed } = JSON.parse(text) as Latency;
  return {
    cpu: (after.own.total - before.own.total) / requests,
    user: (after.own.user - before.own.user) / requests,
    kernel: (after.kernel - before.kernel) / requests,
    perSecond,
    p50Ms,
    p99Ms,
    failed,
  };
}

try {
  chmodSync(folder, 0o755);
  await startServers(children, on.others, folder, ports);
  const running = ways.map((way, i) => ({
    way,
    port: ports.firstProxy + i,
    child: start(way, ports.firstProxy + i),
    rounds: [] as Record<string, number>[],
  }));
  for (const { port } of running) await serves(port, `/${bytes}`);
  for (const { port, way } of running) {
    try {
      await saturate(children, on.others, variant, port, 1, folder);
    } catch (error) {
      console.log(`${way}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  for (let round = 0; round < Number(options.rounds); round++)
    for (const one of running) {
      one.rounds.push(await measure(one.port, one.child));
      print(one.way, one.rounds.slice(-1));
    }
  console.log('\nmedians');
  for (const { way, rounds } of running) print(way, rounds);
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true });
}

function print(way: string, rounds: readonly Record<string, number>[]): void {
  const median = (figure: string) => spread(rounds.map((round) => round[figure]!)).median;
  console.log(
    `${way.padEnd(14)} ${median('cpu').toFixed(2)} µs CPU (user ${median('user').toFixed(2)}), kernel threads ${median('kernel').toFixed(2)} µs, ` +
      `${median('perSecond').toFixed(0)}/s, p50 ${median('p50Ms').toFixed(2)} p99 ${median('p99Ms').toFixed(2)} ms, failed ${median('failed')}`,
  );
}
