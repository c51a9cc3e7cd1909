/** The board under real threads: never over a limit, no wake-up lost, nothing left behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { weightScale } from '../../src/core/balance/servers.ts';
import { type Board, createBoard } from '../../src/engine/board.ts';
import type { BackendPlan } from '../../src/plan/balancer.ts';
import { backendPlan, balancerPlan } from '../fixtures/balancer-plan.ts';

interface Tally {
  started: number;
  granted: number;
  abandoned: number;
  overLimit: number;
}

/**
 * Runs `workers` threads to their end; the one that `dies` is reclaimed and not replaced. It dies by its own hand between two requests, or, `killed`,
 * by that of this thread, wherever it is just then.
 */
async function hammer(
  backend: BackendPlan,
  workers: number,
  dies = -1,
  killed = false,
): Promise<{ board: Board; tallies: Tally[] }> {
  const plan = balancerPlan([backend], undefined, { maxconn: 1000 });
  const threads: Worker[] = [];
  const wake = (worker: number) => threads[worker].postMessage('wake');
  const board = createBoard(plan, workers, wake);
  board.backends[0].startWith(backend.servers.map((server) => server.weight * weightScale));
  const tallies: Tally[] = [];
  const ends: Promise<unknown>[] = [];
  for (let worker = 0; worker < workers; worker++) {
    const diesAfter = worker === dies && !killed ? 2000 : Number.POSITIVE_INFINITY;
    const workerData = { memory: board.memory, backend, workers, worker, requests: 10_000, atOnce: 20, diesAfter };
    const thread = new Worker(new URL('./hammer-worker.ts', import.meta.url), { workerData });
    threads.push(thread);
    const gone = once(thread, 'exit').then(() => board.reclaim(worker));
    const done = new Promise<void>((resolve) => {
      thread.on('message', (message: { wake?: number; done?: Tally }) => {
        if (message.wake !== undefined) wake(message.wake);
        // It is now in the middle of things; the engine stops it at the next jump backwards or call.
        if (worker === dies && killed) void thread.terminate();
        if (message.done === undefined) return;
        tallies.push(message.done);
        resolve();
      });
    });
    ends.push(worker === dies ? gone : done);
  }
  await Promise.all(ends);
  for (const backendBoard of board.backends) {
    assert.equal(backendBoard.word('served'), 0, 'requests served');
    assert.equal(backendBoard.word('queuedTotal'), 0, 'requests waiting');
    assert.equal(backendBoard.word('lock'), 0, 'the lock');
    assert.deepEqual(
      [...backendBoard.served, ...backendBoard.queued].filter((count) => count !== 0),
      [],
    );
  }
  for (const thread of threads) await thread.terminate();
  return { board, tallies };
}

const limits = [{ maxconn: 3 }, { maxconn: 5, weight: 3 }, { maxconn: 2 }];

for (const algorithm of ['roundrobin', 'leastconn', 'uri', 'first'] as const)
  test(`3 threads, ${algorithm}: limits hold and everything is served`, { timeout: 60_000 }, async () => {
    const { board, tallies } = await hammer(backendPlan(limits, { balance: { algorithm } }), 3);
    for (const tally of tallies) {
      assert.equal(tally.overLimit, 0);
      assert.equal(tally.started, 10_000);
      assert.ok(tally.granted > 0, 'the queue was in use');
    }
    limits.forEach(({ maxconn }, server) => {
      assert.equal(board.backends[0].column('servedMax')[server], maxconn, 'full at times, never fuller');
    });
  });

test('a thread that dies in the middle leaves its slots to the others', { timeout: 60_000 }, async () => {
  const { tallies } = await hammer(backendPlan(limits), 3, 1);
  assert.deepEqual(
    tallies.map(({ started, overLimit }) => [started, overLimit]),
    [
      [10_000, 0],
      [10_000, 0],
    ],
  );
});

test('a thread that is killed wherever it is leaves its slots to the others', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 8; round++) {
    const { tallies } = await hammer(backendPlan(limits), 3, 1, true);
    assert.deepEqual(
      tallies.map(({ started }) => started),
      [10_000, 10_000],
    );
  }
});
