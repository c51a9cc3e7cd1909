/**
 * A worker thread: one event loop that carries connections of all frontends. Here the proxy meets its adapters; everything it shares
 * with other threads is on the board.
 */
import { hostname } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { realClock, systemRandom } from '../../adapters/clock.ts';
import { pinThread } from '../../adapters/process-limits.ts';
import { createLogSink } from '../../adapters/syslog.ts';
import { localZone } from '../../adapters/zone.ts';
import { supervisor as limits } from '../../core/limits.ts';
import { openBoard } from '../../engine/board.ts';
import { WorkerDispatch } from '../../engine/dispatcher.ts';
import { ProxyWorker } from '../../engine/proxy/worker.ts';
import { BoardStats } from '../../engine/proxy-stats.ts';
import { TrafficLog } from '../../engine/traffic-log.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { onWake, wakeThrough } from './wake.ts';

const start = workerData as WorkerStart;
const { plan, index } = start;
const port = parentPort!;
const cpus = plan.global.cpuMap[index];
const refused = cpus === undefined ? undefined : pinThread(cpus);
if (refused !== undefined) port.postMessage({ kind: 'not-pinned', reason: refused } satisfies FromWorker);
const world = start.ledger === undefined ? await netWorld() : await ringWorld(start.ledger);
const { clock, streams } = world;
const random = systemRandom();
const board = openBoard(start.board, plan, start.workers, index, wakeThrough(start.wakeCells));
const dispatch = new WorkerDispatch(board, random);
const sink = createLogSink(plan.logTargets, clock);
const context = { pid: process.pid, hostname: plan.global.node || hostname(), zone: localZone };

const proxy = new ProxyWorker({
  plan,
  clock,
  random,
  streams,
  dispatches: dispatch.backends,
  stats: new BoardStats(board, clock),
  log: new TrafficLog(plan, clock, sink, context),
});

board.enter();
onWake(start.wakeCells, index, () => dispatch.poll());
const beat = setInterval(() => board.beat(), limits.workerBeatMs);

/** The thread need not end by itself. */
let processEnds = false;
let ended = false;

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'drain':
      return proxy.drain();
    case 'soft-stop':
      processEnds = message.processEnds;
      return proxy.softStop(end);
    case 'abort':
      processEnds = message.processEnds;
      proxy.abort();
      return end();
    case 'server-down':
      return proxy.endSessions(message.backend, message.server);
    case 'server-address':
      return proxy.setServerAddress(message.backend, message.server, message.address);
  }
});

async function ringWorld(ledger: SharedArrayBuffer) {
  const [{ keepLedger }, { uringWorld }] = await Promise.all([
    import('../../adapters/uring/ledger.ts'),
    import('../../adapters/uring/streams.ts'),
  ]);
  keepLedger(ledger);
  return uringWorld();
}

async function netWorld() {
  const { netStreams } = await import('../../adapters/net.ts');
  return { clock: realClock, streams: netStreams(), pending: () => 0, close: () => {} };
}

/** Ends the thread, or says that it could end, once nothing is left: connections may still come out of the kernel while the listeners close, and are served. */
function end(): void {
  if (ended) return;
  if (proxy.activeConnections > 0 || world.pending() > 0) {
    setTimeout(end, limits.endPollMs);
    return;
  }
  ended = true;
  clearInterval(beat);
  sink.close();
  // The kernel keeps a ring as long as its descriptor is open, and descriptors are the process's, not the thread's.
  if (!processEnds) world.close();
  port.postMessage({ kind: 'finished' } satisfies FromWorker);
  if (processEnds) return;
  // Whatever is left open (a wait for a wake-up, idle sockets) must not keep a finished worker alive.
  process.exit(0);
}

for (const { backend, server, address } of start.addresses) proxy.setServerAddress(backend, server, address);
proxy.listen(start.listeners);
port.postMessage({ kind: 'listening' } satisfies FromWorker);
