/**
 * The queues of one backend, as lists of tickets on the board: the backend's own, each server's, and for each worker the tickets
 * that were granted and not yet taken. One order for all threads. All of it is guarded by the backend's lock.
 */
import { type BackendLayout, type BoardLayout, backendWord, ticketWord, ticketWords } from './layout.ts';

/** States of a ticket: 0 = free, 1 = in the backend's queue, 2 + n = in server n's, -1 = to be assigned anew, -2 - n = granted by server n. */
const free = 0;
const inServerQueue = 2;
export const assignAnew = -1;
const granted = -2;

/** The state of a ticket that server n granted, and the server of such a state. */
export function grantedBy(server: number): number {
  return granted - server;
}
export function granter(state: number): number {
  return granted - state;
}

/** The backend's own queue, where a server's number could stand. */
export const backendQueue = -1;

export class BackendQueues {
  readonly #words: Int32Array;
  readonly #layout: BackendLayout;
  readonly #board: BoardLayout;
  readonly #index: number;

  /** @param index of the backend. */
  constructor(words: Int32Array, board: BoardLayout, index: number) {
    this.#words = words;
    this.#layout = board.backends[index];
    this.#board = board;
    this.#index = index;
  }

  /** A worker's own ticket as a number that is good on all threads, and back. */
  numberOf(worker: number, ticket: number): number {
    return worker * this.#board.ticketsPerWorker + ticket;
  }
  workerOf(number: number): number {
    return Math.trunc(number / this.#board.ticketsPerWorker);
  }
  ticketOf(number: number): number {
    return number % this.#board.ticketsPerWorker;
  }

  /** > 0 while it waits, < 0 once it was granted or must be assigned anew, 0 when free. */
  state(number: number): number {
    return this.#words[this.#ticketAt(number) + ticketWord.state];
  }

  /** The server that a waiting ticket waits for, or `backendQueue`. */
  waitsFor(number: number): number {
    return Math.max(backendQueue, this.state(number) - inServerQueue);
  }

  /** The ticket that waits longest for this server, or in the backend's queue; -1 = none. */
  first(server: number): number {
    return this.#words[this.#head(server)] - 1;
  }

  /** True when ticket `one` has waited longer than `other`. Right across the wrap of the 32-bit counter. */
  isOlder(one: number, other: number): boolean {
    return this.#age(one) < this.#age(other);
  }

  /** Puts a free ticket at the end of a server's queue or the backend's. */
  join(number: number, server: number): void {
    const at = this.#ticketAt(number);
    const order = (this.#get(backendWord.ticket) + 1) | 0;
    this.#set(backendWord.ticket, order);
    this.#words[at + ticketWord.order] = order;
    this.#words[at + ticketWord.backend] = this.#index;
    this.#link(number, server);
  }

  /** Takes a waiting ticket out and frees it. Returns the server it waited for, or `backendQueue`. */
  leave(number: number): number {
    const server = this.state(number) - inServerQueue;
    this.#detach(number, this.#head(server), this.#tail(server));
    this.#set(backendWord.queuedTotal, this.#get(backendWord.queuedTotal) - 1);
    if (server < 0) this.#set(backendWord.queueLength, this.#get(backendWord.queueLength) - 1);
    else this.#words[this.#layout.columns.queued + server]--;
    return server;
  }

  /** Moves a waiting ticket to its worker's granted ones. Returns what `leave` does. */
  grant(number: number, state: number): number {
    const server = this.leave(number);
    this.#linkGranted(number, state);
    return server;
  }

  /** The worker's next granted ticket, or -1. Atomic: may be asked without the lock to see whether there is any. */
  firstGranted(worker: number): number {
    return Atomics.load(this.#words, this.#layout.granted + worker * 2) - 1;
  }

  /** Takes a granted ticket out of its worker's list and frees it. */
  takeGranted(number: number): void {
    const head = this.#layout.granted + this.workerOf(number) * 2;
    this.#detach(number, head, head + 1);
  }

  /** Frees all tickets of a worker that no longer runs. @param left called for each that waited, with what `leave` returns. */
  drop(worker: number, left: (server: number) => void): void {
    const first = this.numberOf(worker, 0);
    for (let number = first; number < first + this.#board.ticketsPerWorker; number++) {
      if (!this.#isOurs(number)) continue;
      if (this.state(number) > 0) left(this.leave(number));
      else this.takeGranted(number);
    }
  }

  /** Makes all lists and lengths anew from the tickets, without those of `dead`, which died while it changed them. */
  rebuild(dead: number): void {
    const words = this.#words;
    const alive: number[] = [];
    for (let number = 0; number < this.#board.workers * this.#board.ticketsPerWorker; number++) {
      if (!this.#isOurs(number)) continue;
      if (this.workerOf(number) === dead) words[this.#ticketAt(number) + ticketWord.state] = free;
      else alive.push(number);
    }
    alive.sort((a, b) => this.#age(a) - this.#age(b) || a - b);
    const { queueHead, queueTail, queueLength, queuedTotal } = backendWord;
    for (const word of [queueHead, queueTail, queueLength, queuedTotal]) this.#set(word, 0);
    for (const column of ['queueHead', 'queueTail', 'queued'] as const) {
      const at = this.#layout.columns[column];
      words.fill(0, at, at + this.#servers);
    }
    words.fill(0, this.#layout.granted, this.#layout.granted + 2 * this.#board.workers);
    for (const number of alive) {
      const state = this.state(number);
      if (state > 0) this.#link(number, state - inServerQueue);
      else this.#linkGranted(number, state);
    }
  }

  get #servers(): number {
    return this.#board.serverCounters[this.#index].length;
  }

  #isOurs(number: number): boolean {
    return this.state(number) !== free && this.#words[this.#ticketAt(number) + ticketWord.backend] === this.#index;
  }

  #link(number: number, server: number): void {
    this.#append(number, this.#head(server), this.#tail(server), inServerQueue + server);
    this.#set(backendWord.queuedTotal, this.#get(backendWord.queuedTotal) + 1);
    if (server < 0) {
      const length = this.#get(backendWord.queueLength) + 1;
      this.#set(backendWord.queueLength, length);
      if (length > this.#get(backendWord.queueMax)) this.#set(backendWord.queueMax, length);
      return;
    }
    const { queued, queuedMax } = this.#layout.columns;
    const length = ++this.#words[queued + server];
    if (length > this.#words[queuedMax + server]) this.#words[queuedMax + server] = length;
  }

  #linkGranted(number: number, state: number): void {
    const head = this.#layout.granted + this.workerOf(number) * 2;
    this.#append(number, head, head + 1, state);
  }

  #append(number: number, head: number, tail: number, state: number): void {
    const words = this.#words;
    const at = this.#ticketAt(number);
    const last = words[tail];
    words[at + ticketWord.next] = 0;
    words[at + ticketWord.previous] = last;
    words[at + ticketWord.state] = state;
    if (last === 0) Atomics.store(words, head, number + 1);
    else words[this.#ticketAt(last - 1) + ticketWord.next] = number + 1;
    words[tail] = number + 1;
  }

  #detach(number: number, head: number, tail: number): void {
    const words = this.#words;
    const at = this.#ticketAt(number);
    const next = words[at + ticketWord.next];
    const previous = words[at + ticketWord.previous];
    if (previous === 0) Atomics.store(words, head, next);
    else words[this.#ticketAt(previous - 1) + ticketWord.next] = next;
    if (next === 0) words[tail] = previous;
    else words[this.#ticketAt(next - 1) + ticketWord.previous] = previous;
    words[at + ticketWord.next] = words[at + ticketWord.previous] = 0;
    words[at + ticketWord.state] = free;
  }

  /** As a difference from the last order given: 0 or negative, the more the longer it waits. */
  #age(number: number): number {
    return (this.#words[this.#ticketAt(number) + ticketWord.order] - this.#get(backendWord.ticket)) | 0;
  }

  #head(server: number): number {
    return server < 0 ? this.#layout.words + backendWord.queueHead : this.#layout.columns.queueHead + server;
  }
  #tail(server: number): number {
    return server < 0 ? this.#layout.words + backendWord.queueTail : this.#layout.columns.queueTail + server;
  }

  #ticketAt(number: number): number {
    return this.#board.tickets + number * ticketWords;
  }

  #get(word: number): number {
    return this.#words[this.#layout.words + word];
  }
  #set(word: number, value: number): void {
    this.#words[this.#layout.words + word] = value;
  }
}
