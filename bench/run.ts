/**
 * The bench: Evergate on both adapters and every other proxy that is installed, in turn, round by round, in one run.
 *
 * npm run bench -- [setting...] [--rounds 5] [--seconds 3] [--only haproxy,evergate-uring] [--no-record] [--allocations]
 *
 * For each variant of a setting all proxies start, are warmed up, and then take turns: first at full load (CPU for each request,
 * throughput), then at a fixed rate below anybody's limit (latency). The proxy has its own processors, everything else the others.
 * With --allocations a million requests more are counted for what they allocate (bench/allocations/run.ts).
 * Results go to bench/results.jsonl, and docs/performance.md is written anew from it.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureAllocations } from './allocations/run.ts';
import { benchCommand, eachOf, someOf, wholeNumber } from './command-line.ts';
import type { Latency, Load } from './load/open-loop.ts';
import { pathOf, saturate } from './load/throughput.ts';
import { caddy } from './peers/caddy.ts';
import { evergateNet, evergateUring, haproxy } from './peers/haproxy.ts';
import { nginx } from './peers/nginx.ts';
import type { Peer } from './peers/peer.ts';
import { Children, installed, memory, output, processors, processorTime, serves } from './processes.ts';
import { loadBefore, type Measured, type Round, record } from './results.ts';
import { startServers } from './servers.ts';
import { settings, unitOf, type Variant, variants } from './settings.ts';
import { spread } from './statistics.ts';
import { printVariant } from './table.ts';

const peers: readonly Peer[] = [haproxy, evergateUring, evergateNet, nginx, caddy];
/**
 * Until V8's optimising compiler has done its work: it counts calls, so this is a number of requests, within bounds of time. Three seconds after
 * the load began it still had a tenth of the samples (setting 3).
 */
const warmUp = { seconds: 2, requests: 60_000, timesMax: 4 };
/** A load average above which other work takes the processors from what is measured. */
const busyLoad = 0.5;
/** Part of the slowest proxy's throughput at which latency is measured, and the most there is: the generator shares its processor with the servers. */
const loadPart = 0.5;
const perSecondMax = 4000;
const allocationRequests = 1_000_000;

const numbers = settings.map(({ number }) => `${number}`);
const command = benchCommand(
  'bench',
  'Evergate on both adapters beside every other proxy that is installed, in turn, round by round.',
)
  .argument('[setting...]', `of ${numbers.join(', ')} (docs/performance.md); without any, all`, eachOf(numbers), [])
  .option('--rounds <n>', 'of each setting', wholeNumber, 5)
  .option('--seconds <s>', 'of each load in a round', wholeNumber, 3)
  .option('--only <list>', 'of the proxies', someOf(peers.map(({ name }) => name)))
  .option('--no-record', 'keeps no rows')
  .option('--allocations', 'counts what a million requests allocate', false)
  .parse();
const options = command.opts<{
  readonly rounds: number;
  readonly seconds: number;
  readonly only?: readonly string[];
  readonly record: boolean;
  readonly allocations: boolean;
}>();
const { rounds, seconds } = options;
const positionals = command.processedArgs[0] as readonly string[];
const folder = mkdtempSync(join(tmpdir(), 'evergate-bench-'));
const children = new Children();
const basePort = 21_000 + (process.pid % 100) * 20;
const ports = {
  down: [0, 1, 2].map((i) => basePort + i),
  up: [3, 4, 5].map((i) => basePort + i),
  log: basePort + 6,
  firstProxy: basePort + 10,
};

async function main(): Promise<void> {
  const chosen = choosePeers();
  const wanted = positionals.length > 0 ? positionals.map(Number) : settings.map(({ number }) => number);
  const others = processors(1)?.others;
  if (others === undefined) throw new Error('two processors are needed: one for the proxy, one for everything else');
  if (loadBefore > busyLoad)
    console.log(`The machine is busy (load average ${loadBefore.toFixed(1)}): figures will be high and uneven.`);
  chmodSync(folder, 0o755);
  await startServers(children, others, folder, ports);
  for (const variant of variants) {
    if (!wanted.includes(variant.setting)) continue;
    const title = `${variant.setting}. ${settings[variant.setting - 1]!.title}: ${variant.name}`;
    if (processors(variant.threads) === undefined) {
      console.log(`\n${title}: left out, it needs ${variant.threads * 2} processors`);
      continue;
    }
    console.log(`\n${title}`);
    const measured = await measure(
      variant,
      chosen.filter((peer) => peer.can(variant)),
    );
    printVariant(measured, unitOf(variant));
    if (options.record) record(variant, measured, { rounds, seconds });
  }
}

function choosePeers(): Peer[] {
  const { only } = options;
  return peers.filter((peer) => {
    if (only !== undefined && !only.includes(peer.name)) return false;
    if (installed(peer.program)) return true;
    console.log(`${peer.name} is left out: ${peer.program} is not installed (Debian: ${peer.install})`);
    return false;
  });
}

interface Running {
  readonly peer: Peer;
  readonly process: ChildProcess;
  readonly port: number;
  readonly rounds: Round[];
}

async function measure(variant: Variant, chosen: readonly Peer[]): Promise<Measured[]> {
  const on = processors(variant.threads)!;
  const running: Running[] = [];
  try {
    for (const [index, peer] of chosen.entries())
      running.push({ peer, port: ports.firstProxy + index, rounds: [], process: startPeer(peer, variant, index) });
    for (const { port } of running) {
      await serves(port, pathOf(variant));
      for (let times = 0, requests = 0; times < warmUp.timesMax && requests < warmUp.requests; times++)
        requests += (await saturate(children, on.others, variant, port, warmUp.seconds, folder)).requests;
    }
    for (let round = 0; round < rounds; round++) for (const one of running) await fullLoad(one, variant, on.others);
    const slowest = Math.min(...running.map((one) => spread(one.rounds.map((round) => round.perSecond!)).median));
    const perSecond = Math.max(1, Math.min(Math.round(slowest * loadPart), perSecondMax));
    for (let round = 0; round < rounds; round++)
      for (const one of running) Object.assign(one.rounds[round]!, await fixedRate(one, variant, on.others, perSecond));
    return await Promise.all(
      running.map(async ({ peer, rounds }) => ({ peer: peer.name, version: await versionOf(peer), perSecond, rounds })),
    );
  } finally {
    for (const one of running) await children.end(one.process);
  }
}

function startPeer(peer: Peer, variant: Variant, index: number): ChildProcess {
  const own = join(folder, `${variant.setting}-${variant.name.replaceAll(' ', '-')}-${peer.name}`);
  mkdirSync(own);
  chmodSync(own, 0o777);
  const { command, args, environment } = peer.start({
    variant,
    port: ports.firstProxy + index,
    serverPorts: variant.direction === 'up' ? ports.up : ports.down,
    logPort: ports.log,
    folder: own,
  });
  const child = children.start(processors(variant.threads)!.proxy, command, args, environment);
  child.stdout.resume();
  child.once('exit', (code, signal) => {
    if (signal === null && code !== 0) console.log(`${peer.name} ended with status ${code}`);
  });
  return child;
}

async function fullLoad(one: Running, variant: Variant, others: string): Promise<void> {
  const before = processorTime(one.process.pid!);
  const { requests, perSecond } = await saturate(children, others, variant, one.port, seconds, folder);
  const after = processorTime(one.process.pid!);
  one.rounds.push({
    cpuUs: (after.total - before.total) / requests,
    userUs: (after.user - before.user) / requests,
    perSecond,
    memoryMiB: memory(one.process.pid!),
  });
}

async function fixedRate(one: Running, variant: Variant, others: string, perSecond: number): Promise<Round> {
  const load: Load = {
    port: one.port,
    perSecond,
    seconds,
    connections: variant.connections,
    path: pathOf(variant),
    upBytes: variant.direction === 'up' ? variant.bytes : 0,
    close: variant.close === 'client' || variant.close === 'both',
  };
  const alone = variant.idle > 0 || variant.slowReader ? { p99AloneMs: (await latency(load, others)).p99Ms } : {};
  const aloneMiB = memory(one.process.pid!);
  const company = await startCompany(one, variant, others);
  const { p50Ms, p99Ms, p999Ms, lateMs, failed } = await latency(load, others);
  const idleKiB = variant.idle > 0 ? { idleKiB: ((memory(one.process.pid!) - aloneMiB) * 1024) / variant.idle } : {};
  company?.stdin?.end();
  if (company !== undefined) await once(company, 'exit');
  return { p50Ms, p99Ms, p999Ms, lateMs, failed, ...alone, ...idleKiB };
}

async function latency(load: Load, others: string): Promise<Latency> {
  const text = await output(children, others, process.execPath, [
    '--disable-warning=ExperimentalWarning',
    // Room for all that it leaves behind, so that no collection of its own delays it.
    '--min-semi-space-size=64',
    '--max-semi-space-size=64',
    join(import.meta.dirname, 'load/open-loop.ts'),
    JSON.stringify(load),
  ]);
  return JSON.parse(text) as Latency;
}

/** Those who are there meanwhile: idle connections, or one who reads slowly. */
async function startCompany(one: Running, variant: Variant, others: string): Promise<ChildProcess | undefined> {
  const program = (name: string, ...args: string[]) =>
    children.start(others, process.execPath, [join(import.meta.dirname, 'load', name), String(one.port), ...args]);
  if (variant.slowReader) return program('slow-reader.ts', '/1048576');
  if (variant.idle === 0) return undefined;
  const idle = program('idle-clients.ts', String(variant.idle), pathOf(variant));
  const [stand] = await once(idle.stdout, 'data');
  if (Number(stand) < variant.idle) console.log(`${one.peer.name}: only ${stand} idle connections stand`);
  return idle;
}

const versions = new Map<string, string>();
async function versionOf(peer: Peer): Promise<string> {
  const known = versions.get(peer.name);
  if (known !== undefined) return known;
  // nginx tells its version on standard error.
  const text = await output(children, '0', 'sh', ['-c', `${peer.program} ${peer.version.join(' ')} 2>&1`]);
  const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? '';
  versions.set(peer.name, version);
  return version;
}

process.once('SIGINT', () => {
  children.killAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});
try {
  await main();
  if (options.allocations) {
    await children.endAll();
    await measureAllocations(allocationRequests, [evergateUring, evergateNet]);
  }
  if (options.record) (await import('./report/write.ts')).writeReport();
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true });
}
