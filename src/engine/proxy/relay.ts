/**
 * Bytes both ways between a client and a server, blindly, with back-pressure and half-closes: TCP sessions, and HTTP connections
 * after a 101. Ends when both sides have ended, one has failed, or time is up (manual 4.2 timeout tunnel, client-fin, server-fin).
 */
import type { Timeouts } from '../../plan/balancer.ts';
import type { Stream, StreamError } from '../ports/streams.ts';
import { Timer, type TimerOwner } from '../timer-wheel.ts';
import type { ProxyContext } from './runtime.ts';

export interface RelayOwner {
  /** Once. The owner parts with both streams. */
  relayOver(relay: Relay, cause: string, state: string): void;
}

export class Relay implements TimerOwner {
  readonly #context: ProxyContext;
  readonly #owner: RelayOwner;
  readonly #client: Stream;
  readonly #server: Stream;
  /** Milliseconds of inactivity for each side, 0 = none. */
  #clientMs: number;
  #serverMs: number;
  readonly #clientFinMs: number;
  readonly #serverFinMs: number;
  readonly #clientTimer = new Timer(this);
  readonly #serverTimer = new Timer(this);
  #clientEnded = false;
  #serverEnded = false;
  #over = false;
  /** It ended because nothing came from either side for `timeout tunnel`. */
  idle = false;
  bytesUp = 0;
  bytesDown = 0;

  constructor(
    context: ProxyContext,
    owner: RelayOwner,
    client: Stream,
    server: Stream,
    frontend: Timeouts,
    backend: Timeouts,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#client = client;
    this.#server = server;
    // Manual 4.2 timeout tunnel: supersedes both once the tunnel stands.
    this.#clientMs = backend.tunnel || frontend.client;
    this.#serverMs = backend.tunnel || backend.server;
    this.#clientFinMs = frontend.clientFin;
    this.#serverFinMs = backend.serverFin;
    this.#touchClient();
    this.#touchServer();
    client.relay?.(server, Infinity);
    server.relay?.(client, Infinity);
  }

  clientBytes(buffer: Uint8Array, start: number, end: number): void {
    if (this.#over) return;
    this.bytesUp += end - start;
    this.#touch();
    if (!this.#server.write(buffer, start, end)) this.#client.pause();
  }

  serverBytes(buffer: Uint8Array, start: number, end: number): void {
    if (this.#over) return;
    this.bytesDown += end - start;
    this.#touch();
    if (!this.#client.write(buffer, start, end)) this.#server.pause();
  }

  /** The adapter passed bytes on by itself. */
  clientRelayed(bytes: number): void {
    if (this.#over) return;
    this.bytesUp += bytes;
    this.#touch();
  }

  serverRelayed(bytes: number): void {
    if (this.#over) return;
    this.bytesDown += bytes;
    this.#touch();
  }

  clientDrained(): void {
    this.#touch();
    this.#server.resume();
  }

  serverDrained(): void {
    this.#touch();
    this.#client.resume();
  }

  clientEnded(): void {
    if (this.#over || this.#clientEnded) return;
    this.#clientEnded = true;
    if (this.#serverEnded) {
      this.#end('-', '-');
      return;
    }
    this.#server.shutdown();
    if (this.#serverFinMs > 0) this.#serverMs = this.#serverFinMs;
    if (this.#clientFinMs > 0) this.#clientMs = this.#clientFinMs;
    this.#touch();
  }

  serverEnded(): void {
    if (this.#over || this.#serverEnded) return;
    this.#serverEnded = true;
    if (this.#clientEnded) {
      this.#end('-', '-');
      return;
    }
    this.#client.shutdown();
    if (this.#clientFinMs > 0) this.#clientMs = this.#clientFinMs;
    if (this.#serverFinMs > 0) this.#serverMs = this.#serverFinMs;
    this.#touch();
  }

  /** The client's connection is gone: orderly when it had ended its side before. */
  clientClosed(error: StreamError | undefined): void {
    this.#end(error === undefined && (this.#clientEnded || this.#serverEnded) ? '-' : 'C', 'D');
  }

  serverClosed(error: StreamError | undefined): void {
    this.#end(error === undefined && (this.#clientEnded || this.#serverEnded) ? '-' : 'S', 'D');
  }

  /** Ends it for a reason of ours. */
  abort(cause: string, state: string): void {
    this.#end(cause, state);
  }

  expired(timer: Timer): void {
    const client = timer === this.#clientTimer;
    // Inactivity is told of the side that is still awaited; with both open and one limit for both it is the tunnel that is idle.
    this.idle = this.#clientMs === this.#serverMs;
    this.#end(client || this.idle ? 'c' : 's', 'D');
    this.#client.flush();
    this.#server.flush();
  }

  #touch(): void {
    this.#touchClient();
    this.#touchServer();
  }

  #touchClient(): void {
    if (this.#clientMs > 0) this.#context.wheel.arm(this.#clientTimer, this.#context.clock.now() + this.#clientMs);
  }

  #touchServer(): void {
    if (this.#serverMs > 0) this.#context.wheel.arm(this.#serverTimer, this.#context.clock.now() + this.#serverMs);
  }

  #end(cause: string, state: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.wheel.remove(this.#clientTimer);
    this.#context.wheel.remove(this.#serverTimer);
    this.#owner.relayOver(this, cause, cause === '-' ? '-' : state);
  }
}
