/** A connection to a server: serving one exchange, or idle in its server's pool. */
import type { Stream, StreamError, StreamHandler } from '../ports/streams.ts';
import { HeldBytes } from './held-bytes.ts';
import type { IdlePool } from './idle-pool.ts';
import type { LastBytes } from './last-bytes.ts';
import type { ServerRuntime } from './runtime.ts';

/** What a server connection tells the exchange that it serves. */
export interface ConnectionUser {
  serverOpened(): void;
  /** The connection could not be made. */
  serverRefused(): void;
  serverBytes(buffer: Uint8Array, start: number, end: number): void;
  /** The adapter passed bytes of the answer on by itself. */
  serverRelayed(bytes: number): void;
  serverDrained(): void;
  /** The server ended its side (undefined), or the connection died. */
  serverEnded(error: StreamError | undefined): void;
}

export class ServerConnection implements StreamHandler {
  readonly server: ServerRuntime;
  stream!: Stream;
  exchange: ConnectionUser | undefined;
  /** Requests that were sent over it, the current one included. */
  exchanges = 0;
  /** Neighbours in the idle pool. */
  older: ServerConnection | undefined;
  newer: ServerConnection | undefined;
  /** The beginning of a response head that has not arrived whole. */
  readonly held = new HeldBytes();
  isOpen = false;
  /** Since it was given up. */
  last: LastBytes | undefined;
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
    this.held.clear();
    this.held.trim(true);
    if (this.#pool.add(this)) this.#pooled = true;
    else this.stream.close();
  }

  /** Takes the connection from the pool for an exchange. */
  serve(exchange: ConnectionUser): void {
    this.#pooled = false;
    this.exchange = exchange;
    this.exchanges++;
  }

  /** Ends the connection; nothing of it is told to anyone any more. The pool has let go of it already. */
  discard(): void {
    this.letGo();
    this.stream.close();
  }

  /** The same, and its stream is the caller's. */
  letGo(): void {
    this.#pooled = false;
    this.exchange = undefined;
  }

  /** Ends it at once: whatever is under way on it is not wanted any more. */
  abort(): void {
    this.exchange = undefined;
    this.stream.reset();
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

  relayed(bytes: number): void {
    this.exchange?.serverRelayed(bytes);
  }

  drained(): void {
    this.exchange?.serverDrained();
  }

  ended(): void {
    if (this.exchange !== undefined) this.exchange.serverEnded(undefined);
    else if (this.#pooled) this.#leavePool();
  }

  closed(error: StreamError | undefined): void {
    this.last?.over();
    const { exchange } = this;
    if (exchange !== undefined) {
      if (this.isOpen) exchange.serverEnded(error ?? 'reset');
      else exchange.serverRefused();
    } else if (this.#pooled) this.#leavePool();
  }

  #leavePool(): void {
    this.#pool.remove(this);
    this.discard();
  }
}
