/**
 * The board: one piece of shared memory on which all worker threads and the supervisor keep who is up, who serves what, who waits, and what was counted.
 * `createBoard` makes and fills it (supervisor), `openBoard` looks at it from a thread. Layout: board/layout.ts.
 *
 * Each cell has one writer, or is changed atomically, or is guarded by its backend's lock: what is read here is exact across threads.
 */
import type { BalancerPlan } from '../plan/balancer.ts';
import { BackendBoard } from './board/backend.ts';
import {
  type BoardLayout,
  frontendByWorker,
  frontendWord,
  layoutBoard,
  processWord,
  workerWord,
} from './board/layout.ts';

/** Makes worker `worker` call `WorkerDispatch.poll` soon, from its own event loop. May be called for the caller's own index. */
export type Wake = (worker: number) => void;

export class Board {
  readonly plan: BalancerPlan;
  readonly layout: BoardLayout;
  readonly memory: SharedArrayBuffer;
  readonly backends: readonly BackendBoard[];
  /** This thread's index: a worker, or the number of workers for the supervisor. */
  readonly owner: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer, plan: BalancerPlan, workers: number, owner: number, wake: Wake) {
    this.plan = plan;
    this.owner = owner;
    this.layout = layoutBoard(plan, workers);
    if (memory.byteLength !== this.layout.bytes) throw new Error('the board was laid out for another plan');
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, this.layout.numbersAt / 4);
    this.#numbers = new Float64Array(memory, this.layout.numbersAt);
    const wakeOnce = (worker: number) => {
      // One wake-up on its way is enough: `poll` clears the flag before it looks.
      if (Atomics.exchange(this.#words, this.layout.worker[worker] + workerWord.wake, 1) === 0) wake(worker);
    };
    this.backends = plan.backends.map(
      (backend) => new BackendBoard(backend, this.#words, this.#numbers, this.layout, owner, wakeOnce),
    );
  }

  // ---------------------------------------------------------------- admission of clients

  /**
   * Counts a client connection of this worker in, if the process and the frontend are below their maxconn: exact, whatever the others do.
   * @returns false when the connection must wait (in the kernel's backlog).
   */
  admit(frontend: number): boolean {
    const words = this.#words;
    const all = this.layout.process;
    const one = this.layout.frontends[frontend];
    if (!countUpTo(words, all + processWord.connections, words[all + processWord.connectionsLimit])) return false;
    if (!countUpTo(words, one + frontendWord.connections, words[one + frontendWord.limit])) {
      Atomics.sub(words, all + processWord.connections, 1);
      return false;
    }
    words[this.layout.worker[this.owner] + workerWord.connections]++;
    words[one + frontendByWorker + this.owner]++;
    Atomics.add(words, all + processWord.connectionsTotal, 1);
    raise(words, all + processWord.connectionsMax, Atomics.load(words, all + processWord.connections));
    raise(words, one + frontendWord.connectionsMax, Atomics.load(words, one + frontendWord.connections));
    return true;
  }

  /** Counts a client connection of this worker out. */
  dismiss(frontend: number): void {
    const words = this.#words;
    Atomics.sub(words, this.layout.process + processWord.connections, 1);
    Atomics.sub(words, this.layout.frontends[frontend] + frontendWord.connections, 1);
    words[this.layout.worker[this.owner] + workerWord.connections]--;
    words[this.layout.frontends[frontend] + frontendByWorker + this.owner]--;
  }

  /** Client connections now: of a frontend, of the process (%fc, %ac). */
  frontendConnections(frontend: number): number {
    return Atomics.load(this.#words, this.layout.frontends[frontend] + frontendWord.connections);
  }
  processConnections(): number {
    return Atomics.load(this.#words, this.layout.process + processWord.connections);
  }

  /** Whether a new connection would be admitted: to resume a paused listener. */
  hasRoomFor(frontend: number): boolean {
    const words = this.#words;
    const limit = words[this.layout.process + processWord.connectionsLimit];
    const own = words[this.layout.frontends[frontend] + frontendWord.limit];
    return (
      (limit === 0 || this.processConnections() < limit) && (own === 0 || this.frontendConnections(frontend) < own)
    );
  }

  /** Counts a new session of a frontend into the rate of this second. @param nowMs monotonic milliseconds. */
  countRate(frontend: number, nowMs: number): void {
    const words = this.#words;
    const at = this.layout.frontends[frontend];
    const second = Math.trunc(nowMs / 1000) | 0;
    const before = Atomics.load(words, at + frontendWord.rateSecond);
    if (before !== second && Atomics.compareExchange(words, at + frontendWord.rateSecond, before, second) === before) {
      const count = Atomics.exchange(words, at + frontendWord.rate, 0);
      Atomics.store(words, at + frontendWord.ratePrevious, before + 1 === second ? count : 0);
    }
    raise(words, at + frontendWord.rateMax, Atomics.add(words, at + frontendWord.rate, 1) + 1);
  }

  processCell(name: keyof typeof processWord): number {
    return Atomics.load(this.#words, this.layout.process + processWord[name]);
  }
  setProcessCell(name: 'stopping' | 'connectionsLimit', value: number): void {
    Atomics.store(this.#words, this.layout.process + processWord[name], value);
  }
  frontendCell(frontend: number, name: keyof typeof frontendWord): number {
    return Atomics.load(this.#words, this.layout.frontends[frontend] + frontendWord[name]);
  }
  workerCell(worker: number, name: keyof typeof workerWord): number {
    return Atomics.load(this.#words, this.layout.worker[worker] + workerWord[name]);
  }

  // ---------------------------------------------------------------- counters

  /**
   * The counters that this worker alone writes, as one array: `counters[board.layout.serverCounters[b][s] + serverCounter.bytesIn] += n`.
   * Only for workers.
   */
  counters(): Float64Array {
    return this.#countersOf(this.owner);
  }

  #countersOf(worker: number): Float64Array {
    const at = this.layout.counters[worker];
    return this.#numbers.subarray(at, at + this.layout.countersLength);
  }

  /** A counter summed over all workers. @param at offset from `layout.frontendCounters` and its like, plus the counter. */
  sum(at: number): number {
    let sum = 0;
    for (const start of this.layout.counters) sum += this.#numbers[start + at];
    return sum;
  }

  // ---------------------------------------------------------------- workers' lives

  /** Called by a worker when it starts: from now on its slots are taken back by `reclaim` only. */
  enter(): void {
    const at = this.layout.worker[this.owner];
    // A wake-up meant for an earlier owner of this index may never have arrived.
    Atomics.store(this.#words, at + workerWord.wake, 0);
    Atomics.store(this.#words, at + workerWord.alive, 1);
  }

  /** One turn of this worker's event loop. */
  beat(): void {
    this.#words[this.layout.worker[this.owner] + workerWord.heartbeat]++;
  }

  /** True once after a wake-up for this worker. */
  takeWake(): boolean {
    return Atomics.exchange(this.#words, this.layout.worker[this.owner] + workerWord.wake, 0) === 1;
  }

  /**
   * Supervisor: takes back what a dead worker held (connections, requests, queue places, locks). Its counters stay. To be called
   * when the thread no longer runs and before another one takes its index.
   */
  reclaim(worker: number): void {
    const words = this.#words;
    Atomics.store(words, this.layout.worker[worker] + workerWord.alive, 0);
    // A wake-up that it announced and never sent would keep all later ones from being sent.
    for (const at of this.layout.worker) Atomics.store(words, at + workerWord.wake, 0);
    for (const backend of this.backends) backend.reclaim(worker);
    for (const at of this.layout.frontends) {
      const own = Atomics.exchange(words, at + frontendByWorker + worker, 0);
      Atomics.sub(words, at + frontendWord.connections, own);
    }
    const own = Atomics.exchange(words, this.layout.worker[worker] + workerWord.connections, 0);
    Atomics.sub(words, this.layout.process + processWord.connections, own);
  }

  /** Supervisor: first values of a new board. */
  initialise(): void {
    this.#words[this.layout.process + processWord.connectionsLimit] = this.plan.global.maxconn;
    this.plan.frontends.forEach((frontend, index) => {
      this.#words[this.layout.frontends[index] + frontendWord.limit] = frontend.maxconn;
    });
    for (const backend of this.backends) backend.initialise();
  }
}

/** Makes a board for `workers` worker threads and looks at it as the supervisor. Servers' states are set by the checker. */
export function createBoard(plan: BalancerPlan, workers: number, wake: Wake): Board {
  const memory = new SharedArrayBuffer(layoutBoard(plan, workers).bytes);
  const board = new Board(memory, plan, workers, workers, wake);
  board.initialise();
  return board;
}

/** Looks at a board as worker `owner` (0..workers-1). The plan must be the one that it was made for. */
export function openBoard(
  memory: SharedArrayBuffer,
  plan: BalancerPlan,
  workers: number,
  owner: number,
  wake: Wake,
): Board {
  return new Board(memory, plan, workers, owner, wake);
}

/** Adds one unless `limit` (0 = none) is reached. */
function countUpTo(words: Int32Array, at: number, limit: number): boolean {
  if (limit === 0) {
    Atomics.add(words, at, 1);
    return true;
  }
  for (let value = Atomics.load(words, at); value < limit; ) {
    const seen = Atomics.compareExchange(words, at, value, value + 1);
    if (seen === value) return true;
    value = seen;
  }
  return false;
}

function raise(words: Int32Array, at: number, value: number): void {
  for (let seen = Atomics.load(words, at); seen < value; ) {
    const now = Atomics.compareExchange(words, at, seen, value);
    if (now === seen) return;
    seen = now;
  }
}
