/**
 * One backend on the board: its servers' weights, the requests they serve, and the queues. Every change is made under the
 * backend's lock, so that no server ever gets more than its limit and queues keep one order for all threads.
 *
 * A waiting request is a ticket: a place in a list on the board that belongs to one worker. Who frees a slot, on any thread, takes the oldest
 * ticket, counts the request in on its behalf, moves the ticket to its worker's list of granted ones and wakes that worker.
 */
import { createBalance, weightsAreDynamic } from '../../core/balance/create.ts';
import { type Balance, weightScale } from '../../core/balance/servers.ts';
import type { BackendPlan } from '../../plan/balancer.ts';
import { noServer, queued, queueFull } from '../dispatch.ts';
import { BackendServers } from './backend-servers.ts';
import { type BoardLayout, backendWord } from './layout.ts';
import { acquireLock, inheritLock, releaseLock } from './lock.ts';
import { assignAnew, BackendQueues, backendQueue, grantedBy, granter } from './queues.ts';

/** What `takeGranted` returns besides a server: nothing is left; the ticket's server went away and it must be assigned again. */
export const nothingGranted = -1;
export const mustAssignAnew = -2;

export class BackendBoard extends BackendServers {
  /** After `queueFull`: the server whose queue was full, or -1. */
  fullServer = -1;
  /** Set by `takeGranted`: the ticket it took, a number within its worker's own. */
  grantedTicket = 0;

  readonly #board: BoardLayout;
  readonly #queues: BackendQueues;
  readonly #balance: Balance;
  readonly #owner: number;
  readonly #wake: (worker: number) => void;
  /** Workers to wake once the lock is given back. */
  readonly #toWake: Uint8Array;
  #wakesPending = false;
  /** A backend queue means that all servers are full, so its newcomers need not ask (not so where the request names its server). */
  readonly #queueMeansFull: boolean;

  /**
   * @param owner the worker's index, or the number of workers for the supervisor.
   * @param wake called, without the lock, for each worker that has been granted something.
   */
  constructor(
    plan: BackendPlan,
    words: Int32Array,
    numbers: Float64Array,
    board: BoardLayout,
    owner: number,
    wake: (worker: number) => void,
  ) {
    super(plan, words, numbers, board);
    this.#board = board;
    this.#queues = new BackendQueues(words, board, plan.index);
    this.#owner = owner;
    this.#wake = wake;
    this.#toWake = new Uint8Array(board.workers);
    this.#queueMeansFull = ['roundrobin', 'static-rr', 'first'].includes(plan.balance.algorithm);
    this.#balance = createBalance(plan.balance, this);
  }

  // ---------------------------------------------------------------- what workers do

  /**
   * Chooses a server and counts a request of this worker in, or puts `ticket` (one of this worker's own, free) into a queue.
   * @param server stay on this one if it is usable, or -1.
   * @returns a server, `queued`, `noServer` or `queueFull`.
   */
  assign(ticket: number, hash: number, avoid: number, server: number, random: () => number): number {
    this.#lock();
    const result = this.#assign(ticket, hash, avoid, server, random);
    this.#unlock();
    return result;
  }

  #assign(ticket: number, hash: number, avoid: number, wanted: number, random: () => number): number {
    if (this.summary.active === 0 && this.summary.backups === 0) return noServer;
    let server = wanted;
    if (server < 0 || this.weights[server] === 0) {
      if (this.#queueMeansFull && this.get(backendWord.queueLength) > 0 && this.get(backendWord.served) > 0)
        return this.#enqueue(ticket, backendQueue);
      server = this.#balance.pick(hash, avoid, random);
      if (server < 0) return this.#enqueue(ticket, backendQueue);
    }
    if (this.hasRoom(server)) {
      this.#countIn(server, this.#owner);
      return server;
    }
    // A hash, leastconn or a retry names its server: the request waits there.
    if (this.maxqueue[server] > 0 && this.queued[server] >= this.maxqueue[server]) {
      this.fullServer = server;
      return queueFull;
    }
    return this.#enqueue(ticket, server);
  }

  /** Counts a request of this worker out and gives its slot to whoever waited longest. */
  release(server: number): void {
    this.#lock();
    this.#countOut(server, this.#owner);
    this.#serveQueues(server);
    this.#unlock();
  }

  /** Takes a waiting ticket of this worker out of its queue; a slot that was already granted goes to the next. */
  abandon(ticket: number): void {
    this.#lock();
    const number = this.#queues.numberOf(this.#owner, ticket);
    const state = this.#queues.state(number);
    if (state > 0) this.#queueChanged(this.#queues.leave(number));
    else if (state < 0) {
      this.#queues.takeGranted(number);
      if (state !== assignAnew) {
        this.#countOut(granter(state), this.#owner);
        this.#serveQueues(granter(state));
      }
    }
    this.#unlock();
  }

  /** The server in whose queue a ticket of this worker waits, or -1: in the backend's (or no longer). */
  queuedAt(ticket: number): number {
    return this.#queues.waitsFor(this.#queues.numberOf(this.#owner, ticket));
  }

  /** True when this worker has granted tickets to take. Cheap: no lock. */
  hasGranted(): boolean {
    return this.#queues.firstGranted(this.#owner) >= 0;
  }

  /**
   * Takes the next granted ticket of this worker into `grantedTicket`.
   * @returns its server (the request is counted in there), `mustAssignAnew` or `nothingGranted`.
   */
  takeGranted(): number {
    this.#lock();
    let result = nothingGranted;
    const number = this.#queues.firstGranted(this.#owner);
    if (number >= 0) {
      const state = this.#queues.state(number);
      this.#queues.takeGranted(number);
      this.grantedTicket = this.#queues.ticketOf(number);
      result = state === assignAnew ? mustAssignAnew : granter(state);
    }
    this.#unlock();
    return result;
  }

  // ---------------------------------------------------------------- what the supervisor does

  /** Writes a new board's first values. Before any worker starts. */
  initialise(): void {
    this.column('warmUp').fill(100);
    this.column('userWeight').set(this.configuredWeights);
    this.column('effectiveWeight').set(this.configuredWeights.map((weight) => weight * weightScale));
    this.column('checkCode').fill(-1);
    this.startWith(this.configuredWeights.map(() => 0));
  }

  /** The servers' first scaled weights: only between `initialise` and the start of the workers. */
  startWith(weights: readonly number[]): void {
    this.weights.set(weights);
    this.summary.recount(this);
    this.#balance.start();
  }

  /**
   * Sets a server's scaled weight for balancing (0 = it gets nothing) and its warm-up in percent of maxconn. A server that becomes usable
   * serves the queue at once; `redistribute` sends those that wait for a server that is gone to another.
   * @returns how many waiting requests moved: were sent away, or got a slot.
   */
  setWeight(server: number, weight: number, warmUp: number, redistribute: boolean): number {
    this.#lock();
    const previous = this.weights[server];
    this.words[this.layout.columns.warmUp + server] = warmUp;
    if (previous !== weight) {
      this.weights[server] = weight;
      this.summary.recount(this);
      this.#balance.weightChanged(server, previous);
    }
    let moved = 0;
    if (redistribute)
      for (let first = this.#queues.first(server); first >= 0; first = this.#queues.first(server)) {
        this.#grant(first, assignAnew);
        moved++;
      }
    moved += this.#serveQueues(server);
    this.#unlock();
    return moved;
  }

  /** Whether a runtime change of weight means anything to the algorithm (slowstart). */
  get weightsAreDynamic(): boolean {
    return weightsAreDynamic(this.plan.balance);
  }

  /** Takes back everything a dead worker held: its lock, its requests, its places in the queues. */
  reclaim(worker: number): void {
    if (inheritLock(this.words, this.layout.words + backendWord.lock, worker, this.#owner)) this.#rebuild(worker);
    else {
      this.#lock();
      this.#queues.drop(worker, (server) => this.#queueChanged(server));
    }
    const own = this.servedBy(worker);
    for (let server = 0; server < this.count; server++) {
      if (own[server] === 0) continue;
      this.served[server] -= own[server];
      this.set(backendWord.served, this.get(backendWord.served) - own[server]);
      own[server] = 0;
      this.#balance.loadChanged(server);
    }
    for (let server = 0; server < this.count; server++) this.#serveQueues(server);
    // It may have granted something and died before it could wake anyone.
    this.#toWake.fill(1);
    this.#wakesPending = true;
    this.#unlock();
  }

  /** The worker died while it changed things: lists are made anew from the tickets, sums from the workers' own counts. */
  #rebuild(dead: number): void {
    const half = this.get(backendWord.grantTicket) - 1;
    if (half >= 0) {
      const server = this.get(backendWord.grantServer);
      const isGranted = this.#queues.state(half) === grantedBy(server);
      this.servedBy(this.#queues.workerOf(half))[server] = this.get(backendWord.grantCount) + (isGranted ? 1 : 0);
      this.set(backendWord.grantTicket, 0);
    }
    this.#queues.rebuild(dead);
    this.served.fill(0);
    let total = 0;
    for (let worker = 0; worker < this.#board.workers; worker++) {
      const own = this.servedBy(worker);
      for (let server = 0; server < this.count; server++) {
        this.served[server] += own[server];
        total += own[server];
      }
    }
    this.set(backendWord.served, total);
    this.summary.recount(this);
    this.#balance.start();
  }

  // ---------------------------------------------------------------- counts

  #countIn(server: number, worker: number): void {
    const served = ++this.served[server];
    this.words[this.layout.servedByWorker + worker * this.count + server]++;
    const all = this.get(backendWord.served) + 1;
    this.set(backendWord.served, all);
    const max = this.layout.columns.servedMax + server;
    if (served > this.words[max]) this.words[max] = served;
    if (all > this.get(backendWord.servedMax)) this.set(backendWord.servedMax, all);
    this.#balance.loadChanged(server);
  }

  #countOut(server: number, worker: number): void {
    this.served[server]--;
    this.words[this.layout.servedByWorker + worker * this.count + server]--;
    this.set(backendWord.served, this.get(backendWord.served) - 1);
    this.#balance.loadChanged(server);
  }

  // ---------------------------------------------------------------- queues (lock held)

  /** Puts this worker's ticket into a server's queue, or into the backend's. */
  #enqueue(ticket: number, server: number): number {
    if (ticket < 0) {
      this.fullServer = -1;
      return queueFull;
    }
    this.#queues.join(this.#queues.numberOf(this.#owner, ticket), server);
    this.#queueChanged(server);
    return queued;
  }

  /** Gives the server's free slots to those that wait for it or, if it is in use, for any server; the oldest first. */
  #serveQueues(server: number): number {
    if (this.get(backendWord.queuedTotal) === 0) return 0;
    let moved = 0;
    const takesAny =
      this.weights[server] > 0 &&
      (!this.backup[server] || (this.summary.active === 0 && (this.allBackups || this.summary.firstBackup === server)));
    while (this.served[server] < this.limit(server)) {
      const own = this.#queues.first(server);
      const any = takesAny ? this.#queues.first(backendQueue) : -1;
      if (own < 0 && any < 0) return moved;
      const takeOwn = own >= 0 && (any < 0 || this.#queues.isOlder(own, any));
      this.#grantSlot(takeOwn ? own : any, server);
      moved++;
    }
    return moved;
  }

  /** Counts a request in for the ticket's worker, with a note of it, so that `#rebuild` can tell how far it got. */
  #grantSlot(number: number, server: number): void {
    const worker = this.#queues.workerOf(number);
    this.set(backendWord.grantServer, server);
    this.set(backendWord.grantCount, this.words[this.layout.servedByWorker + worker * this.count + server]);
    this.set(backendWord.grantTicket, number + 1);
    this.#countIn(server, worker);
    this.#grant(number, grantedBy(server));
    this.set(backendWord.grantTicket, 0);
  }

  #grant(number: number, state: number): void {
    this.#queueChanged(this.#queues.grant(number, state));
    this.#toWake[this.#queues.workerOf(number)] = 1;
    this.#wakesPending = true;
  }

  /** A server's queue has changed, or the backend's, which says nothing about the load of a server. */
  #queueChanged(server: number): void {
    if (server >= 0) this.#balance.loadChanged(server);
  }

  // ---------------------------------------------------------------- lock

  #lock(): void {
    acquireLock(this.words, this.layout.words + backendWord.lock, this.#owner);
  }

  #unlock(): void {
    releaseLock(this.words, this.layout.words + backendWord.lock);
    if (!this.#wakesPending) return;
    this.#wakesPending = false;
    for (let worker = 0; worker < this.#toWake.length; worker++) {
      if (this.#toWake[worker] === 0) continue;
      this.#toWake[worker] = 0;
      this.#wake(worker);
    }
  }
}
