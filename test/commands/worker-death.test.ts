/** A worker thread that dies is replaced; its connections end at once, those of the others go on, and the board's counts are right. */
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { loadBalancerPlan } from '../../src/commands/balance/load.ts';
import { Supervisor } from '../../src/commands/balance/supervisor.ts';
import { freePort } from '../ports.ts';
import { Client, defaults, folderFor, getOnce, webServer, write } from './loopback.ts';

/** How a thread can end without having wanted to. */
const deaths: Readonly<Record<string, (worker: Worker) => void>> = {
  // A server that no plan has: the handler of the message throws, as any mistake of ours would.
  'an exception': (worker) => worker.postMessage({ kind: 'server-down', backend: 99, server: 0 }),
  // What Node does with a thread whose heap is full, too.
  'termination from outside': (worker) => void worker.terminate(),
};

for (const io of ['uring', 'net'] as const) {
  const skip = io === 'uring' ? (uringAvailable() ?? false) : false;
  for (const [death, kill] of Object.entries(deaths))
    test(`${io}: a worker dies of ${death}`, { skip, timeout: 15_000 }, (t) => dies(t, io, kill));
}

async function dies(t: TestContext, io: 'uring' | 'net', kill: (worker: Worker) => void): Promise<void> {
  const workers: Worker[] = [];
  const created = (message: unknown) => workers.push((message as { worker: Worker }).worker);
  diagnostics.subscribe('worker_threads', created);
  t.after(() => diagnostics.unsubscribe('worker_threads', created));

  const server = await webServer(t, 'hello');
  const port = await freePort();
  const file = write(
    folderFor(t),
    'haproxy.cfg',
    `global\n  nbthread 2\n${defaults}
listen web\n  bind 127.0.0.1:${port}\n  server one 127.0.0.1:${server.port} pool-max-conn 0\n`,
  );
  const { plan, report } = await loadBalancerPlan([file]);
  assert.ok(plan !== undefined, report);
  const told: string[] = [];
  const supervisor = new Supervisor({ io, tell: (_, text) => told.push(text), readiness: () => {} });
  await supervisor.start(plan);
  t.after(() => supervisor.stop());
  const { board } = supervisor.generation!;
  assert.equal(workers.length, 2);

  // Enough connections that both workers have some; which worker has which, the death will show.
  const clients = await Promise.all(Array.from({ length: 24 }, () => Client.connect({ port })));
  for (const client of clients) assert.equal((await client.get('/')).status, 200);
  const perWorker = [0, 1].map((worker) => board.workerCell(worker, 'connections'));
  assert.equal(perWorker[0]! + perWorker[1]!, 24);
  const victim = perWorker[0]! > 0 ? 0 : 1;
  const before = openDescriptors();

  // One request of the victim, at least, is under way when it dies.
  for (const client of clients) client.send('/slow');
  const replaced = nextWorkerListens(workers);
  kill(workers[victim]!);
  const outcomes = await Promise.all(
    clients.map((client) =>
      client.response().then(
        ({ status }) => status,
        () => 'broken' as const,
      ),
    ),
  );
  const broken = outcomes.filter((outcome) => outcome === 'broken').length;
  assert.equal(broken, perWorker[victim], 'exactly the connections of the dead one end');
  assert.equal(outcomes.filter((outcome) => outcome === 200).length, 24 - broken);

  await replaced;
  // Nobody takes new connections who doesn't live.
  for (let i = 0; i < 40; i++) assert.equal((await getOnce(port)).status, 200);
  assert.ok(
    told.some((text) => /Worker thread \d/.test(text)),
    told.join('\n'),
  );

  for (const client of clients) client.close();
  await until(() => board.processCell('connections') === 0);
  assert.equal(board.frontendConnections(0), 0);
  assert.equal(board.backends[0]!.word('served'), 0);
  await until(() => openDescriptors() <= before - 48);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The thread that takes the dead one's place says that it listens. */
async function nextWorkerListens(workers: readonly Worker[]): Promise<void> {
  const count = workers.length;
  await until(() => workers.length > count);
  await new Promise<void>((resolve) => {
    workers[count]!.on('message', ({ kind }: { kind: string }) => {
      if (kind === 'listening') resolve();
    });
  });
}

/** Waits until a fact that nobody announces has come true. */
async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 5));
}
