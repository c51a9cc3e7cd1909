/**
 * Dispatch on the board, for one worker thread: turns waiters into tickets and granted tickets back into calls of waiters.
 * Queues, counts and choices are the board's (board/backend.ts).
 */

import { type BackendBoard, mustAssignAnew, nothingGranted } from './board/backend.ts';
import type { Board } from './board.ts';
import { type Dispatch, noServer, queued, queueFull, type Waiter } from './dispatch.ts';
import type { Random } from './ports/time.ts';

/** All backends of one worker. `poll` is to be called whenever this worker was woken (and may be at any other time). */
export class WorkerDispatch {
  readonly backends: readonly Dispatch[];
  readonly #dispatchers: readonly Dispatcher[];
  readonly #board: Board;

  /** @param board opened for this worker. */
  constructor(board: Board, random: Random) {
    this.#board = board;
    const tickets = new Tickets(board.layout.ticketsPerWorker);
    const draw = () => random.uint32();
    this.#dispatchers = board.backends.map((backend) => new Dispatcher(backend, tickets, draw));
    this.backends = this.#dispatchers;
  }

  /** Tells waiters about the slots they were granted. From this worker's event loop, outside any call of Dispatch. */
  poll(): void {
    // The flag first: a grant made after this line wakes again.
    this.#board.takeWake();
    for (const dispatcher of this.#dispatchers) dispatcher.poll();
  }
}

class Dispatcher implements Dispatch {
  readonly #backend: BackendBoard;
  readonly #tickets: Tickets;
  readonly #random: () => number;

  constructor(backend: BackendBoard, tickets: Tickets, random: () => number) {
    this.#backend = backend;
    this.#tickets = tickets;
    this.#random = random;
  }

  assign(waiter: Waiter): number {
    return this.#assign(waiter, -1);
  }

  assignTo(waiter: Waiter, server: number): number {
    return this.#assign(waiter, server);
  }

  release(server: number): void {
    this.#backend.release(server);
  }

  abandon(waiter: Waiter): void {
    const ticket = waiter.queueTicket;
    if (ticket < 0) return;
    this.#backend.abandon(ticket);
    this.#tickets.giveBack(ticket);
    waiter.queueTicket = -1;
  }

  usable(server: number): boolean {
    return this.#backend.weights[server] > 0;
  }

  queuedAt(waiter: Waiter): number {
    return this.#backend.queuedAt(waiter.queueTicket);
  }

  fullServer(): number {
    return this.#backend.fullServer;
  }

  serverQueueLength(server: number): number {
    return this.#backend.queued[server];
  }

  backendQueueLength(): number {
    return this.#backend.word('queueLength');
  }

  serverConnections(server: number): number {
    return this.#backend.served[server];
  }

  backendConnections(): number {
    return this.#backend.word('served') + this.#backend.word('queuedTotal');
  }

  poll(): void {
    if (!this.#backend.hasGranted()) return;
    for (;;) {
      const result = this.#backend.takeGranted();
      if (result === nothingGranted) return;
      const waiter = this.#tickets.take(this.#backend.grantedTicket);
      waiter.queueTicket = -1;
      if (result === mustAssignAnew) {
        const server = this.#assign(waiter, -1);
        if (server >= 0) waiter.slotGranted(server);
        else if (server === noServer || server === queueFull) waiter.slotRefused(server);
      } else waiter.slotGranted(result);
    }
  }

  #assign(waiter: Waiter, server: number): number {
    const ticket = this.#tickets.next;
    const result = this.#backend.assign(ticket, waiter.balanceHash, waiter.avoidServer, server, this.#random);
    if (result === queued) {
      this.#tickets.give(waiter);
      waiter.queueTicket = ticket;
    }
    return result;
  }
}

/** This worker's tickets: which are free, and whose the others are. */
class Tickets {
  /** The free ticket that `give` will hand out, or -1. */
  next: number;
  readonly #waiters: (Waiter | undefined)[] = [];
  /** Free tickets below the highest ever used. */
  readonly #returned: number[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.next = count > 0 ? 0 : -1;
  }

  give(waiter: Waiter): void {
    this.#waiters[this.next] = waiter;
    this.#chooseNext();
  }

  take(ticket: number): Waiter {
    const waiter = this.#waiters[ticket]!;
    this.giveBack(ticket);
    return waiter;
  }

  giveBack(ticket: number): void {
    this.#waiters[ticket] = undefined;
    if (this.next < 0) this.next = ticket;
    else this.#returned.push(ticket);
  }

  #chooseNext(): void {
    const { length } = this.#waiters;
    this.next = this.#returned.pop() ?? (length < this.#count ? length : -1);
  }
}
