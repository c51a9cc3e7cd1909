/**
 * One backend on the board: its servers' weights, the requests they serve, and the queues. Every change is made under the
 * backend's lock, so that no server ever gets more than its limit and queues keep one order for all threads.
 *
 * A waiting request is a ticket: a place in a list on the board that belongs to one worker. Who frees a slot, on any thread, takes the oldest
 * ticket, counts the request in on its behalf, moves the ticket to its worker's list of granted ones and wakes that worker.
 */
import { createBalance, weightsAreDynamic } from '../../core/balance/create.ts';
import { type Balance, type BalanceServers, UsableSummary, weightScale } from '../../core/balance/servers.ts';
import type { BackendPlan } from '../../plan/balancer.ts';
import { noServer, queued, queueFull } from '../dispatch.ts';
import {
  type BackendLayout,
  type BoardLayout,
  backendWord,
  type ServerColumn,
  ticketWord,
  ticketWords,
} from './layout.ts';
import { acquireLock, inheritLock, releaseLock } from './lock.ts';

/** States of a ticket: 0 = free, 1 = in the backend's queue, 2 + n = in server n's, -1 = to be assigned anew, -2 - n = granted by server n. */
const free = 0;
const inBackendQueue = 1;
const inServerQueue = 2;
const assignAnew = -1;
const granted = -2;

/** What `takeGranted` returns besides a server: nothing is left; the ticket's server went away and it must be assigned again. */
export const nothingGranted = -1;
export const mustAssignAnew = -2;

const unlimited = 0x7fff_ffff;

export class BackendBoard implements BalanceServers {
  readonly plan: BackendPlan;
  readonly count: number;
  readonly ids: readonly number[];
  readonly backup: readonly boolean[];
  readonly configuredWeights: readonly number[];
  readonly allBackups: boolean;
  readonly cells: Float64Array;
  readonly summary: UsableSummary;
  readonly weights: Int32Array;
  readonly served: Int32Array;
  readonly queued: Int32Array;
  /** Set by `takeGranted`: the ticket it took, a number within its worker's own. */
  grantedTicket = 0;

  readonly #words: Int32Array;
  readonly #layout: BackendLayout;
  readonly #board: BoardLayout;
  readonly #balance: Balance;
  readonly #owner: number;
  readonly #wake: (worker: number) => void;
  /** Workers to wake once the lock is given back. */
  readonly #toWake: Uint8Array;
  #wakesPending = false;
  /** A backend queue means that all servers are full, so its newcomers need not ask (not so where the request names its server). */
  readonly #queueMeansFull: boolean;
  readonly #maxconn: Int32Array;
  readonly #minconn: Int32Array;
  readonly #maxqueue: Int32Array;

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
    const layout = board.backends[plan.index];
    this.plan = plan;
    this.#words = words;
    this.#layout = layout;
    this.#board = board;
    this.#owner = owner;
    this.#wake = wake;
    this.#toWake = new Uint8Array(board.workers);
    this.count = plan.servers.length;
    this.ids = plan.servers.map((server) => server.id);
    this.backup = plan.servers.map((server) => server.backup);
    this.configuredWeights = plan.servers.map((server) => server.weight);
    this.allBackups = plan.allBackups;
    this.#maxconn = Int32Array.from(plan.servers, (server) => server.maxconn);
    this.#minconn = Int32Array.from(plan.servers, (server) => server.minconn);
    this.#maxqueue = Int32Array.from(plan.servers, (server) => server.maxqueue);
    this.cells = numbers.subarray(layout.balance, layout.balance + layout.balanceCells);
    const summary = layout.words + backendWord.summary;
    this.summary = new UsableSummary(words.subarray(summary, summary + 4));
    this.weights = this.column('weight');
    this.served = this.column('served');
    this.queued = this.column('queued');
    this.#queueMeansFull = ['roundrobin', 'static-rr', 'first'].includes(plan.balance.algorithm);
    this.#balance = createBalance(plan.balance, this);
  }

  /** One word for each server; see layout.ts for what each means. */
  column(name: ServerColumn): Int32Array {
    const at = this.#layout.columns[name];
    return this.#words.subarray(at, at + this.count);
  }

  /** Requests that one worker has at each server. */
  servedBy(worker: number): Int32Array {
    const at = this.#layout.servedByWorker + worker * this.count;
    return this.#words.subarray(at, at + this.count);
  }

  word(name: keyof typeof backendWord): number {
    return Atomics.load(this.#words, this.#layout.words + backendWord[name]);
  }

  setWord(name: 'lastChange' | 'downTransitions', value: number): void {
    Atomics.store(this.#words, this.#layout.words + backendWord[name], value);
  }

  // ---------------------------------------------------------------- what the algorithms ask

  hasRoom(server: number): boolean {
    return this.#maxconn[server] === 0 || (this.queued[server] === 0 && this.served[server] < this.limit(server));
  }

  hasRoomInQueue(server: number): boolean {
    return (
      this.#maxconn[server] === 0 ||
      this.served[server] + this.queued[server] < this.limit(server) + this.#maxqueue[server]
    );
  }

  servedTotal(): number {
    return this.#get('served');
  }

  /**
   * Requests the server may have now (manual 5.2 minconn, slowstart): between minconn and maxconn in proportion to the
   * backend's load of `fullconn`; while it warms up only the percentage reached, at least one.
   */
  limit(server: number): number {
    const most = this.#maxconn[server];
    if (most === 0) return unlimited;
    const least = this.#minconn[server];
    const { fullconn } = this.plan;
    let limit = most;
    const load = this.#get('served') + this.#get('queuedTotal');
    if (least > 0 && least < most && load < fullconn) limit = Math.max(least, Math.trunc((load * most) / fullconn));
    const warmUp = this.#words[this.#layout.columns.warmUp + server];
    return warmUp >= 100 ? limit : Math.max(1, Math.trunc((limit * warmUp) / 100));
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
      if (this.#queueMeansFull && this.#get('queueLength') > 0 && this.#get('served') > 0)
        return this.#enqueue(ticket, -1);
      server = this.#balance.pick(hash, avoid, random);
      if (server < 0) return this.#enqueue(ticket, -1);
    }
    if (this.hasRoom(server)) {
      this.#countIn(server, this.#owner);
      return server;
    }
    // A hash, leastconn or a retry names its server: the request waits there.
    if (this.#maxqueue[server] > 0 && this.queued[server] >= this.#maxqueue[server]) return queueFull;
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
    const number = this.#owner * this.#board.ticketsPerWorker + ticket;
    const state = this.#words[this.#ticketAt(number) + ticketWord.state];
    if (state > 0) this.#unlink(number);
    else if (state < 0) {
      this.#unlinkGranted(number);
      if (state <= granted) {
        this.#countOut(granted - state, this.#owner);
        this.#serveQueues(granted - state);
      }
    }
    this.#unlock();
  }

  /** True when this worker has granted tickets to take. Cheap: no lock. */
  hasGranted(): boolean {
    return Atomics.load(this.#words, this.#layout.granted + this.#owner * 2) !== 0;
  }

  /**
   * Takes the next granted ticket of this worker into `grantedTicket`.
   * @returns its server (the request is counted in there), `mustAssignAnew` or `nothingGranted`.
   */
  takeGranted(): number {
    this.#lock();
    let result = nothingGranted;
    const head = this.#words[this.#layout.granted + this.#owner * 2];
    if (head !== 0) {
      const number = head - 1;
      const state = this.#words[this.#ticketAt(number) + ticketWord.state];
      this.#unlinkGranted(number);
      this.grantedTicket = number - this.#owner * this.#board.ticketsPerWorker;
      result = state === assignAnew ? mustAssignAnew : granted - state;
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
    this.#words[this.#layout.columns.warmUp + server] = warmUp;
    if (previous !== weight) {
      this.weights[server] = weight;
      this.summary.recount(this);
      this.#balance.weightChanged(server, previous);
    }
    let moved = 0;
    if (redistribute)
      for (let head = this.#queueHead(server); head !== 0; head = this.#queueHead(server)) {
        this.#grant(head - 1, assignAnew);
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
    if (inheritLock(this.#words, this.#layout.words + backendWord.lock, worker, this.#owner)) this.#rebuild(worker);
    else {
      this.#lock();
      this.#dropTickets(worker);
    }
    const own = this.servedBy(worker);
    for (let server = 0; server < this.count; server++) {
      if (own[server] === 0) continue;
      this.served[server] -= own[server];
      this.#set('served', this.#get('served') - own[server]);
      own[server] = 0;
      this.#balance.loadChanged(server);
    }
    for (let server = 0; server < this.count; server++) this.#serveQueues(server);
    // It may have granted something and died before it could wake anyone.
    this.#toWake.fill(1);
    this.#wakesPending = true;
    this.#unlock();
  }

  #dropTickets(worker: number): void {
    const first = worker * this.#board.ticketsPerWorker;
    for (let number = first; number < first + this.#board.ticketsPerWorker; number++) {
      const at = this.#ticketAt(number);
      const state = this.#words[at + ticketWord.state];
      if (state === free || this.#words[at + ticketWord.backend] !== this.plan.index) continue;
      if (state > 0) this.#unlink(number);
      else this.#unlinkGranted(number);
    }
  }

  /** The worker died while it changed the lists: they are made anew from the tickets, and the sums from the workers' own counts. */
  #rebuild(dead: number): void {
    const words = this.#words;
    const half = this.#get('grantTicket') - 1;
    if (half >= 0) {
      const server = this.#get('grantServer');
      const isGranted = words[this.#ticketAt(half) + ticketWord.state] === granted - server;
      this.servedBy(this.#workerOf(half))[server] = this.#get('grantCount') + (isGranted ? 1 : 0);
      this.#set('grantTicket', 0);
    }
    const waiting: number[] = [];
    for (let number = 0; number < this.#board.workers * this.#board.ticketsPerWorker; number++) {
      const at = this.#ticketAt(number);
      if (words[at + ticketWord.state] === free || words[at + ticketWord.backend] !== this.plan.index) continue;
      if (Math.trunc(number / this.#board.ticketsPerWorker) === dead) words[at + ticketWord.state] = free;
      else waiting.push(number);
    }
    waiting.sort((a, b) => this.#order(a) - this.#order(b) || a - b);
    this.#set('queueHead', 0);
    this.#set('queueTail', 0);
    this.#set('queueLength', 0);
    this.#set('queuedTotal', 0);
    for (const column of ['queueHead', 'queueTail', 'queued', 'served'] as const) this.column(column).fill(0);
    words.fill(0, this.#layout.granted, this.#layout.granted + 2 * this.#board.workers);
    for (const number of waiting) {
      const state = words[this.#ticketAt(number) + ticketWord.state];
      if (state > 0) this.#link(number, state - inServerQueue);
      else this.#linkGranted(number, state);
    }
    let total = 0;
    for (let worker = 0; worker < this.#board.workers; worker++) {
      const own = this.servedBy(worker);
      for (let server = 0; server < this.count; server++) {
        this.served[server] += own[server];
        total += own[server];
      }
    }
    this.#set('served', total);
    this.summary.recount(this);
    this.#balance.start();
  }

  // ---------------------------------------------------------------- counts

  #countIn(server: number, worker: number): void {
    const served = ++this.served[server];
    this.#words[this.#layout.servedByWorker + worker * this.count + server]++;
    const all = this.#get('served') + 1;
    this.#set('served', all);
    const max = this.#layout.columns.servedMax + server;
    if (served > this.#words[max]) this.#words[max] = served;
    if (all > this.#get('servedMax')) this.#set('servedMax', all);
    this.#balance.loadChanged(server);
  }

  #countOut(server: number, worker: number): void {
    this.served[server]--;
    this.#words[this.#layout.servedByWorker + worker * this.count + server]--;
    this.#set('served', this.#get('served') - 1);
    this.#balance.loadChanged(server);
  }

  // ---------------------------------------------------------------- queues (lock held)

  /** Puts this worker's ticket into a server's queue, or into the backend's (-1). */
  #enqueue(ticket: number, server: number): number {
    if (ticket < 0) return queueFull;
    const number = this.#owner * this.#board.ticketsPerWorker + ticket;
    const at = this.#ticketAt(number);
    const order = (this.#get('ticket') + 1) | 0;
    this.#set('ticket', order);
    this.#words[at + ticketWord.order] = order;
    this.#words[at + ticketWord.backend] = this.plan.index;
    this.#link(number, server);
    return queued;
  }

  /** Gives the server's free slots to those that wait for it or, if it is in use, for any server; the oldest first. */
  #serveQueues(server: number): number {
    if (this.#get('queuedTotal') === 0) return 0;
    let moved = 0;
    const takesAny =
      this.weights[server] > 0 &&
      (!this.backup[server] || (this.summary.active === 0 && (this.allBackups || this.summary.firstBackup === server)));
    while (this.served[server] < this.limit(server)) {
      const own = this.#queueHead(server);
      const any = takesAny ? this.#get('queueHead') : 0;
      if (own === 0 && any === 0) return moved;
      const takeOwn = own !== 0 && (any === 0 || this.#order(own - 1) - this.#order(any - 1) < 0);
      this.#grantSlot((takeOwn ? own : any) - 1, server);
      moved++;
    }
    return moved;
  }

  /** Counts a request in for the ticket's worker, with a note of it, so that `#rebuild` can tell how far it got. */
  #grantSlot(number: number, server: number): void {
    const worker = this.#workerOf(number);
    this.#set('grantServer', server);
    this.#set('grantCount', this.#words[this.#layout.servedByWorker + worker * this.count + server]);
    this.#set('grantTicket', number + 1);
    this.#countIn(server, worker);
    this.#grant(number, granted - server);
    this.#set('grantTicket', 0);
  }

  #grant(number: number, state: number): void {
    this.#unlink(number);
    this.#linkGranted(number, state);
    this.#toWake[this.#workerOf(number)] = 1;
    this.#wakesPending = true;
  }

  #queueHead(server: number): number {
    return this.#words[this.#layout.columns.queueHead + server];
  }

  #link(number: number, server: number): void {
    const head = server < 0 ? this.#layout.words + backendWord.queueHead : this.#layout.columns.queueHead + server;
    const tail = server < 0 ? this.#layout.words + backendWord.queueTail : this.#layout.columns.queueTail + server;
    this.#append(number, head, tail);
    this.#words[this.#ticketAt(number) + ticketWord.state] = server < 0 ? inBackendQueue : inServerQueue + server;
    this.#set('queuedTotal', this.#get('queuedTotal') + 1);
    if (server < 0) {
      const length = this.#get('queueLength') + 1;
      this.#set('queueLength', length);
      if (length > this.#get('queueMax')) this.#set('queueMax', length);
      return;
    }
    const length = ++this.queued[server];
    const max = this.#layout.columns.queuedMax + server;
    if (length > this.#words[max]) this.#words[max] = length;
    this.#balance.loadChanged(server);
  }

  #unlink(number: number): void {
    const at = this.#ticketAt(number);
    const server = this.#words[at + ticketWord.state] - inServerQueue;
    const head = server < 0 ? this.#layout.words + backendWord.queueHead : this.#layout.columns.queueHead + server;
    const tail = server < 0 ? this.#layout.words + backendWord.queueTail : this.#layout.columns.queueTail + server;
    this.#detach(at, head, tail);
    this.#set('queuedTotal', this.#get('queuedTotal') - 1);
    if (server < 0) this.#set('queueLength', this.#get('queueLength') - 1);
    else {
      this.queued[server]--;
      this.#balance.loadChanged(server);
    }
  }

  #linkGranted(number: number, state: number): void {
    const head = this.#layout.granted + this.#workerOf(number) * 2;
    this.#append(number, head, head + 1);
    this.#words[this.#ticketAt(number) + ticketWord.state] = state;
  }

  #unlinkGranted(number: number): void {
    const head = this.#layout.granted + this.#workerOf(number) * 2;
    this.#detach(this.#ticketAt(number), head, head + 1);
  }

  #append(number: number, head: number, tail: number): void {
    const words = this.#words;
    const at = this.#ticketAt(number);
    const last = words[tail];
    words[at + ticketWord.next] = 0;
    words[at + ticketWord.previous] = last;
    if (last === 0) Atomics.store(words, head, number + 1);
    else words[this.#ticketAt(last - 1) + ticketWord.next] = number + 1;
    words[tail] = number + 1;
  }

  /** Takes the ticket at `at` out of a list and frees it. */
  #detach(at: number, head: number, tail: number): void {
    const words = this.#words;
    const next = words[at + ticketWord.next];
    const previous = words[at + ticketWord.previous];
    if (previous === 0) Atomics.store(words, head, next);
    else words[this.#ticketAt(previous - 1) + ticketWord.next] = next;
    if (next === 0) words[tail] = previous;
    else words[this.#ticketAt(next - 1) + ticketWord.previous] = previous;
    words[at + ticketWord.next] = words[at + ticketWord.previous] = 0;
    words[at + ticketWord.state] = free;
  }

  #ticketAt(number: number): number {
    return this.#board.tickets + number * ticketWords;
  }

  #workerOf(number: number): number {
    return Math.trunc(number / this.#board.ticketsPerWorker);
  }

  /** A ticket's age as a difference from the last one given: negative or 0, right across the wrap of the 32-bit counter. */
  #order(number: number): number {
    return (this.#words[this.#ticketAt(number) + ticketWord.order] - this.#get('ticket')) | 0;
  }

  // ---------------------------------------------------------------- words and lock

  #get(name: keyof typeof backendWord): number {
    return this.#words[this.#layout.words + backendWord[name]];
  }

  #set(name: keyof typeof backendWord, value: number): void {
    this.#words[this.#layout.words + backendWord[name]] = value;
  }

  #lock(): void {
    acquireLock(this.#words, this.#layout.words + backendWord.lock, this.#owner);
  }

  #unlock(): void {
    releaseLock(this.#words, this.#layout.words + backendWord.lock);
    if (!this.#wakesPending) return;
    this.#wakesPending = false;
    for (let worker = 0; worker < this.#toWake.length; worker++) {
      if (this.#toWake[worker] === 0) continue;
      this.#toWake[worker] = 0;
      this.#wake(worker);
    }
  }
}
