/**
 * Counts what each thread of a program allocates, between two words on a unix socket; given to the program with `--import`, which
 * Node follows in its worker threads too. The main thread listens on PROBE_SOCKET and passes `start` and `stop` on; each thread samples its own
 * heap, garbage included, and counts its collections.
 */
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

export interface ThreadReport {
  readonly thread: number;
  readonly isMain: boolean;
  readonly allocatedBytes: number;
  readonly collections: number;
  readonly collectionMs: number;
  /** Where most was allocated: bytes, function and file. */
  readonly places: readonly (readonly [number, string])[];
}

/** One sample for so many bytes: a million requests that allocate 100 bytes each give 6,000. */
const samplingInterval = 16_384;
const placesMax = 8;
const channel = new BroadcastChannel('evergate-allocations');
const session = new Session();
let collections = 0;
let collectionMs = 0;

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    collections++;
    collectionMs += entry.duration;
  }
}).observe({ entryTypes: ['gc'] });
session.connect();

async function start(): Promise<void> {
  collections = collectionMs = 0;
  await session.post('HeapProfiler.startSampling', {
    samplingInterval,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
}

async function stop(): Promise<ThreadReport> {
  const { profile } = await session.post('HeapProfiler.stopSampling');
  const bytes = new Map<string, number>();
  const visit = (node: typeof profile.head): void => {
    const { functionName, url, lineNumber } = node.callFrame;
    const place = `${functionName || '(anonymous)'} ${url.replace(/.*\/src\//, '')}:${lineNumber + 1}`;
    bytes.set(place, (bytes.get(place) ?? 0) + node.selfSize);
    node.children.forEach(visit);
  };
  visit(profile.head);
  const places = [...bytes].map(([place, size]) => [size, place] as const).sort((a, b) => b[0] - a[0]);
  return {
    thread: threadId,
    isMain: isMainThread,
    allocatedBytes: places.reduce((sum, [size]) => sum + size, 0),
    collections,
    collectionMs,
    places: places.slice(0, placesMax),
  };
}

if (isMainThread) listen(process.env['PROBE_SOCKET']!);
else {
  channel.onmessage = async (event) => {
    const { data } = event as MessageEvent;
    if (data === 'start') channel.postMessage({ started: await start().then(() => threadId) });
    else if (data === 'stop') channel.postMessage(await stop());
  };
}
// A probe keeps nothing alive.
channel.unref();

/** Answers `start` with a line once all threads sample, and `stop` with the reports of all threads as a line of JSON. */
function listen(path: string): void {
  createServer((socket) => {
    socket.setEncoding('utf8');
    socket.on('data', async (word) => {
      const workers = Number(process.env['PROBE_WORKERS']);
      const answers: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        channel.onmessage = (event) => {
          if (answers.push((event as MessageEvent).data) === workers) resolve();
        };
      });
      channel.postMessage(String(word).trim());
      const own = String(word).trim() === 'start' ? await start() : await stop();
      await all;
      socket.end(`${JSON.stringify([own, ...answers])}\n`);
    });
  })
    .listen(path)
    .unref();
}
