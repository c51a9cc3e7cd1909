/**
 * What a request allocates: a million requests on kept connections through the whole program, with a log line for each, while V8's sampling
 * heap profiler counts everything, garbage included. Rows go to bench/allocations/results.jsonl.
 *
 * npm run bench -- --allocations          or: node bench/allocations/run.ts [requests [uring|net...]]
 */
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pathOf, saturate } from '../load/throughput.ts';
import { evergateNet, evergateUring } from '../peers/haproxy.ts';
import type { Peer } from '../peers/peer.ts';
import { Children, processors, serves } from '../processes.ts';
import { commit, rowsIn } from '../results.ts';
import { startServers } from '../servers.ts';
import { variants } from '../settings.ts';
import type { ThreadReport } from './probe.ts';

export interface AllocationRow {
  readonly at: string;
  readonly commit: string;
  readonly node: string;
  readonly peer: string;
  readonly requests: number;
  /** Of the thread that carries the connections. */
  readonly bytesPerRequest: number;
  readonly collections: number;
  readonly collectionMs: number;
  /** Bytes for each request, and where they were allocated. */
  readonly places: readonly (readonly [number, string])[];
  /** Of the supervisor's thread: the same whether there is traffic or not. */
  readonly supervisorBytes: number;
}

const file = join(import.meta.dirname, 'results.jsonl');
const variant = variants.find(({ setting }) => setting === 2)!;
const roundSeconds = 5;
/** Until the compilers have done most of their work, which allocates too. */
const warmUpRequests = 100_000;

export async function measureAllocations(requests: number, peers: readonly Peer[]): Promise<void> {
  const on = processors(1);
  if (on === undefined) throw new Error('two processors are needed: one for the proxy, one for everything else');
  const folder = mkdtempSync(join(tmpdir(), 'evergate-allocations-'));
  chmodSync(folder, 0o777);
  const children = new Children();
  const base = 24_000 + (process.pid % 100) * 10;
  const ports = { down: [base, base + 1, base + 2], up: [base + 3], log: base + 4 };
  try {
    await startServers(children, on.others, folder, ports);
    for (const [index, peer] of peers.entries()) {
      const port = base + 5 + index;
      const probe = join(folder, `${peer.name}.sock`);
      const started = peer.start({ variant, port, serverPorts: ports.down, logPort: ports.log, folder });
      const proxy = children.start(on.proxy, started.command, started.args, {
        NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'probe.ts'))}`,
        PROBE_SOCKET: probe,
        PROBE_WORKERS: '1',
      });
      proxy.stdout.resume();
      await serves(port, pathOf(variant));
      const load = async (least: number) => {
        let sum = 0;
        while (sum < least) sum += (await saturate(children, on.others, variant, port, roundSeconds, folder)).requests;
        return sum;
      };
      await load(warmUpRequests);
      await ask(probe, 'start');
      const counted = await load(requests);
      note(peer.name, counted, JSON.parse(await ask(probe, 'stop')) as ThreadReport[]);
      await children.end(proxy);
    }
  } finally {
    await children.endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last row of each adapter. */
export function readAllocations(): AllocationRow[] {
  return [...new Map(rowsIn<AllocationRow>(file).map((row) => [row.peer, row])).values()];
}

function note(peer: string, requests: number, reports: readonly ThreadReport[]): void {
  const main = reports.find((report) => report.isMain)!;
  const worker = reports.find((report) => !report.isMain)!;
  const row: AllocationRow = {
    at: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    peer,
    requests,
    bytesPerRequest: rounded(worker.allocatedBytes / requests),
    collections: worker.collections,
    collectionMs: rounded(worker.collectionMs),
    places: worker.places.map(([bytes, place]) => [rounded(bytes / requests), place] as const),
    supervisorBytes: main.allocatedBytes,
  };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
  console.log(
    `${peer}: ${row.bytesPerRequest} bytes a request over ${requests}, ${row.collections} collections of ${row.collectionMs} ms in all`,
  );
  for (const [bytes, place] of row.places) console.log(`  ${bytes.toFixed(1).padStart(7)}  ${place}`);
}

async function ask(path: string, word: 'start' | 'stop'): Promise<string> {
  const socket = connect(path).setEncoding('utf8');
  socket.write(`${word}\n`);
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
  });
  await once(socket, 'close');
  return text;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) {
  const [requests = '1000000', ...names] = process.argv.slice(2);
  const peers = [evergateUring, evergateNet].filter(
    ({ name }) => names.length === 0 || names.includes(name.replace('evergate-', '')),
  );
  await measureAllocations(Number(requests), peers);
}
