/**
 * Worker thread of the board's hammer test: assigns, holds, abandons and releases requests at random, as fast as it can, until told how many are
 * enough; checks on the way that no server ever has more than its limit.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openBoard } from '../../src/engine/board.ts';
import { queued, type Waiter } from '../../src/engine/dispatch.ts';
import { WorkerDispatch } from '../../src/engine/dispatcher.ts';
import type { BackendPlan } from '../../src/plan/balancer.ts';
import { balancerPlan } from '../fixtures/balancer-plan.ts';

interface Orders {
  readonly memory: SharedArrayBuffer;
  readonly backend: BackendPlan;
  readonly workers: number;
  readonly worker: number;
  readonly requests: number;
  /** Requests in flight on this worker at a time. */
  readonly atOnce: number;
  /** After so many requests the worker dies where it stands. Infinity = never. */
  readonly diesAfter: number;
}

const orders = workerData as Orders;
const port = parentPort!;
const plan = balancerPlan([orders.backend], undefined, { maxconn: 1000 });
let seed = orders.worker * 7919 + 1;
const random = () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return seed;
};
const board = openBoard(orders.memory, plan, orders.workers, orders.worker, (worker) =>
  port.postMessage({ wake: worker }),
);
const workerDispatch = new WorkerDispatch(board, { uint32: random });
const dispatch = workerDispatch.backends[0];
board.enter();

let started = 0;
let waiting = 0;
let granted = 0;
let abandoned = 0;
let overLimit = 0;
const holding: number[] = [];
const waiters = new Set<Request>();

class Request implements Waiter {
  readonly balanceHash = random();
  readonly avoidServer = -1;
  queueTicket = -1;
  slotGranted(server: number): void {
    waiters.delete(this);
    waiting--;
    granted++;
    hold(server);
  }
  slotRefused(): void {
    waiters.delete(this);
    waiting--;
  }
}

function hold(server: number): void {
  const limit = orders.backend.servers[server].maxconn;
  if (limit > 0 && dispatch.serverConnections(server) > limit) overLimit++;
  holding.push(server);
}

function turn(): void {
  for (let step = 0; step < 50; step++) {
    if (started >= orders.diesAfter) process.exit(1);
    const dice = random() >>> 16;
    if (started < orders.requests && holding.length + waiting < orders.atOnce && dice % 2 === 0) {
      started++;
      const request = new Request();
      const server = dispatch.assign(request);
      if (server >= 0) hold(server);
      else if (server === queued) {
        waiting++;
        waiters.add(request);
      }
    } else if (waiting > 0 && dice % 31 === 0) {
      const request = waiters.values().next().value!;
      dispatch.abandon(request);
      waiters.delete(request);
      waiting--;
      abandoned++;
    } else if (holding.length > 0) dispatch.release(holding.splice(dice % holding.length, 1)[0]);
  }
  // Whoever holds nothing and has started everything waits for others only: a lost wake-up would now leave it waiting for ever.
  if (started === orders.requests && holding.length === 0) {
    if (waiting === 0) finish();
    return;
  }
  setImmediate(turn);
}

let finished = false;
function finish(): void {
  if (finished) return;
  finished = true;
  port.postMessage({ done: { started, granted, abandoned, overLimit } });
}

port.on('message', () => {
  const idle = started === orders.requests && holding.length === 0;
  workerDispatch.poll();
  if (idle) setImmediate(turn);
});
setImmediate(turn);
