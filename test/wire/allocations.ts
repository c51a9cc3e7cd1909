/**
 * How much the proxy allocates for one request on a kept connection: `node --expose-gc --min-semi-space-size=64 --max-semi-space-size=64
 * allocations.ts [--profile]` prints bytes a request. Streams are stand-ins that do nothing, so that everything counted is the proxy's: reader,
 * exchange, dispatch, board, statistics and log line. Nothing is collected meanwhile, so the growth of the heap is what was allocated.
 */
import { Session } from 'node:inspector/promises';
import { getHeapStatistics } from 'node:v8';
import { SeededRandom } from '../../sim/clock.ts';
import { neutralContext } from '../../src/core/log/format.ts';
import { httpLog } from '../../src/core/log/standard.ts';
import { createBoard, openBoard } from '../../src/engine/board.ts';
import { WorkerDispatch } from '../../src/engine/dispatcher.ts';
import { lineBytesMax } from '../../src/engine/ports/logs.ts';
import type { ListenerSocket, Stream, StreamHandler, Streams } from '../../src/engine/ports/streams.ts';
import type { Clock } from '../../src/engine/ports/time.ts';
import { ProxyWorker } from '../../src/engine/proxy/worker.ts';
import { BoardStats } from '../../src/engine/proxy-stats.ts';
import { TrafficLog } from '../../src/engine/traffic-log.ts';
import { backendPlan, balancerPlan, frontendPlan } from '../fixtures/balancer-plan.ts';

const requests = 20_000;

/** The stream that was written to last: where the request went. */
let lastWritten: IdleStream | undefined;

class IdleStream implements Stream {
  handler!: StreamHandler;
  readonly unsentBytes = 0;
  readonly #address = { family: 'ipv4', host: '127.0.0.1', port: 1 } as const;
  write(): boolean {
    lastWritten = this;
    return true;
  }
  flush(): void {}
  shutdown(): void {}
  close(): void {}
  reset(): void {}
  pause(): void {}
  resume(): void {}
  remoteAddress() {
    return this.#address;
  }
  localAddress() {
    return this.#address;
  }
}

let nowMs = 0.5;
const clock: Clock = {
  now: () => nowMs,
  wall: () => 1.75e12 + nowMs,
  alarm: () => ({ set() {}, clear() {} }),
};
const servers: IdleStream[] = [];
let accept: (stream: Stream) => StreamHandler | undefined = () => undefined;
const streams: Streams = {
  listen(_socket, _options, accepted) {
    accept = accepted;
    return { pause() {}, resume() {}, close() {} };
  },
  connect(_options, handler) {
    const stream = new IdleStream();
    stream.handler = handler;
    servers.push(stream);
    return stream;
  },
};

const timeouts = {
  client: 10_000,
  clientFin: 0,
  httpRequest: 0,
  httpKeepAlive: 0,
  connect: 5_000,
  queue: 0,
  server: 10_000,
  serverFin: 0,
  tunnel: 0,
  check: 0,
  tarpit: 0,
};
const address = { family: 'ipv4', host: '127.0.0.1', port: 8000 } as const;
const forwardFor = { header: 'X-Forwarded-For', ifNone: false, except: undefined };
const backend = backendPlan([{ address }, { address }, { address }], { timeouts, mode: 'http', forwardFor });
const front = frontendPlan(0, { name: 'front', timeouts, mode: 'http' });
const plan = {
  ...balancerPlan([backend], [{ ...front, log: { ...front.log, targets: [0], format: httpLog } }]),
  logTargets: [
    {
      to: { kind: 'udp', address },
      facility: 16,
      level: 7,
      minLevel: 0,
      format: 'rfc3164',
      length: 1024,
      tag: 'haproxy',
      hostname: '',
      sample: undefined,
    },
  ],
} satisfies ReturnType<typeof balancerPlan>;
const supervisor = createBoard(plan, 1, () => {});
for (const one of supervisor.backends) one.startWith(one.plan.servers.map((server) => server.weight * 16));
const board = openBoard(supervisor.memory, plan, 1, 0, () => {});
const random = new SeededRandom(1);
let lines = 0;
const page = { bytes: new Uint8Array(lineBytesMax), end: 0 };
const worker = new ProxyWorker({
  plan,
  clock,
  random,
  streams,
  dispatches: new WorkerDispatch(board, random).backends,
  stats: new BoardStats(board, clock),
  log: new TrafficLog(plan, clock, { page: () => page, commit: () => lines++ }, neutralContext),
});
worker.listen([[{ fd: 3, address } satisfies ListenerSocket]]);

const client = new IdleStream();
client.handler = accept(client)!;
const request = Buffer.from(
  'GET /index.html?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: wrk\r\nAccept: */*\r\nCookie: a=b\r\n\r\n',
);
const response = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: x\r\nContent-Type: text/html\r\nContent-Length: 512\r\n\r\n${'x'.repeat(512)}`,
);
const arrived = Buffer.alloc(response.length);

function run(count: number): void {
  for (let i = 0; i < count; i++) {
    nowMs += 0.25;
    const known = servers.length;
    client.handler.received(request, 0, request.length);
    if (servers.length > known) servers[known]!.handler.opened(servers[known]!);
    // A handler may write over what it received.
    arrived.set(response);
    lastWritten!.handler.received(arrived, 0, arrived.length);
  }
}

function allocated(count: number): number {
  globalThis.gc!();
  const before = getHeapStatistics().used_heap_size;
  run(count);
  return getHeapStatistics().used_heap_size - before;
}

run(requests);
if (servers.length !== 3) throw new Error(`${servers.length} connections to three servers`);
if (lines !== requests) throw new Error(`${lines} of ${requests} requests were logged`);
if (process.argv.includes('--profile')) {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 256,
    includeObjectsCollectedByMinorGC: true,
    includeObjectsCollectedByMajorGC: true,
  });
  run(requests);
  const { profile } = await session.post('HeapProfiler.stopSampling');
  const found: [number, string][] = [];
  const visit = (node: typeof profile.head): void => {
    const { functionName, url, lineNumber } = node.callFrame;
    if (node.selfSize > 0) found.push([node.selfSize, `${functionName} ${url.replace(/.*\//, '')}:${lineNumber + 1}`]);
    node.children.forEach(visit);
  };
  visit(profile.head);
  found.sort((a, b) => b[0] - a[0]);
  for (const [bytes, place] of found.slice(0, 25)) console.log((bytes / requests).toFixed(1), place);
} else {
  const samples = [allocated(requests), allocated(requests), allocated(requests)].sort((a, b) => a - b);
  console.log((samples[1]! / requests).toFixed(1));
}
