/** A connection to a server: serving one exchange, or idle in its server's pool. */
import type { Stream, StreamError, StreamHandler } from '../ports.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { IdlePool } from './idle-pool.ts';
import type { ServerRuntime } from './runtime.ts';

export class ServerConnection implements StreamHandler {
  readonly server: ServerRuntime;
  stream!: Stream;
  exchange: HttpExchange | undefined;
  /** Requests that were sent over it, the current one included. */
  exchanges = 0;
  /** Neighbours in the idle pool. */
  older: ServerConnection | undefined;
  newer: ServerConnection | undefined;
  /** The beginning of a response head that has not arrived whole. */
  held: Uint8Array | undefined;
  heldLength = 0;
  isOpen = false;
  #pooled = false;

  /** Where it rests: the server's pool, or with `http-reuse never` one that belongs to a single client. */
  readonly #pool: IdlePool;

  constructor(server: ServerRuntime, pool: IdlePool) {
    this.server = server;
    this.#pool = pool;
  }

  /** Puts the connection into the pool; closes it when the pool is full. */
  rest(): void {
    this.exchange = undefined;
    this.held = undefined;
    this.heldLength = 0;
    if (this.#pool.add(this)) this.#pooled = true;
    else this.stream.close();
  }

  /** Takes the connection from the pool for an exchange. */
  serve(exchange: HttpExchange): void {
    this.#pooled = false;
    this.exchange = exchange;
    this.exchanges++;
  }

  /** Ends the connection; nothing of it is told to anyone any more. The pool has let go of it already. */
  discard(): void {
    this.#pooled = false;
    this.exchange = undefined;
    this.stream.close();
  }

  /** Ends it at once: whatever is under way on it is not wanted any more. */
  abort(): void {
    this.exchange = undefined;
    this.stream.reset();
  }

  /** Keeps bytes for the next call. Returns true when they bring a line end, so that reading again may lead to something. */
  hold(buffer: Uint8Array, start: number, end: number): boolean {
    const size = end - start;
    const old = this.held;
    if (old === undefined || this.heldLength + size > old.length) {
      this.held = new Uint8Array(Math.max(this.heldLength + size, 1024, (old?.length ?? 0) * 2));
      if (old !== undefined) this.held.set(old.subarray(0, this.heldLength));
    }
    this.held!.set(buffer.subarray(start, end), this.heldLength);
    this.heldLength += size;
    for (let i = start; i < end; i++) if (buffer[i] === 10) return true;
    return false;
  }

  opened(): void {
    this.isOpen = true;
    this.exchange?.serverOpened();
  }

  received(buffer: Uint8Array, start: number, end: number): void {
    if (this.exchange !== undefined) this.exchange.serverBytes(buffer, start, end);
    // Nobody asked: a 408 of an impatient server, or an attempt to answer the next request beforehand. Never use it again.
    else if (this.#pooled) this.#leavePool();
  }

  drained(): void {
    this.exchange?.serverDrained();
  }

  ended(): void {
    if (this.exchange !== undefined) this.exchange.serverEnded(undefined);
    else if (this.#pooled) this.#leavePool();
  }

  closed(error: StreamError | undefined): void {
    const { exchange } = this;
    if (exchange !== undefined) {
      if (this.isOpen) exchange.serverEnded(error ?? 'reset');
      else exchange.serverRefused(error);
    } else if (this.#pooled) this.#leavePool();
  }

  #leavePool(): void {
    this.#pool.remove(this);
    this.discard();
  }
}
