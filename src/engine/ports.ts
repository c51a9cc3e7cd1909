/**
 * The whole outside world, as the engine sees it: time, chance, streams, packets, links and logs.
 * Adapters implement these ports; `test/contract/` holds one suite for each; the simulator has a stand-in for each.
 *
 * Nothing here is asynchronous in JavaScript's sense: results come as calls of a handler, always from the
 * adapter's own event loop, never from inside the call that asked for them.
 */

import type { IpFamily, SocketAddress } from '../core/address.ts';

// ---------------------------------------------------------------- time and chance

export interface Clock {
  /** Monotonic milliseconds with fraction, cached for the current turn of the event loop: cheap enough for the byte path. */
  now(): number;
  /** Wall clock in milliseconds since 1970: for what people read, never for intervals. */
  wall(): number;
  /** Makes an alarm, not yet set. One owner, one alarm: the engine keeps its own wheel of deadlines. */
  alarm(ring: () => void): Alarm;
}

export interface Alarm {
  /** Rings once, at or after `atMs` (monotonic). A new call replaces the old one. */
  set(atMs: number): void;
  clear(): void;
}

export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
}

// ---------------------------------------------------------------- streams

/** Why a stream ended otherwise than by both sides' FIN. The same words for every adapter. */
export type StreamError =
  | 'refused' // ECONNREFUSED, or no such unix socket
  | 'unreachable' // EHOSTUNREACH, ENETUNREACH
  | 'timed-out' // the kernel gave up (ETIMEDOUT); our own timeouts are the engine's affair
  | 'reset' // ECONNRESET, EPIPE
  | 'resources' // EMFILE, ENOBUFS, EADDRNOTAVAIL (no free local port)
  | 'permission' // EACCES, EPERM
  | 'other';

/**
 * A byte stream: TCP or unix. Calls after `close`, `reset` or the handler's `closed` do nothing.
 */
export interface Stream {
  /**
   * Queues bytes for sending. They are valid for this call only: the adapter sends them at once, copies them, or, when they are
   * a part of its own receive buffer, keeps that buffer until they have left. Writes made during one handler call are
   * gathered and leave when it returns (or at `flush`).
   * Returns false when more than `highWaterBytes` (limits.ts) wait to be sent: stop, and go on at `drained`. Never refuses bytes.
   */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  /** Sends what was gathered, now. Only needed outside a handler call of this adapter. */
  flush(): void;
  /** Bytes accepted by `write` and not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Half-close: FIN after everything written has left. Reading goes on. */
  shutdown(): void;
  /** Orderly end: sends what is queued, then FIN, reads and drops nothing more. `closed` follows. */
  close(): void;
  /** Abortive end (RST on TCP): queued bytes are dropped. `closed` follows. */
  reset(): void;
  /** Back-pressure: after `pause` no `received` comes until `resume`. Idempotent. A FIN or an error may still be told. */
  pause(): void;
  resume(): void;
  /** The peer's address and ours; asked lazily, cached. Port 0 and host '' when the kernel no longer knows. */
  remoteAddress(): SocketAddress;
  localAddress(): SocketAddress;
}

/** One object a connection; the adapter calls it. None of these may throw: a throw is our own bug and ends the worker. */
export interface StreamHandler {
  /** A stream that was asked for with `connect` is established. Not called for accepted streams. */
  opened(stream: Stream): void;
  /** Bytes [start, end) of `buffer`, valid for this call only. */
  received(buffer: Uint8Array, start: number, end: number): void;
  /** After a `write` that returned false: the queue fell below the low-water mark. */
  drained(): void;
  /** The peer sent FIN; no more `received`. Writing is still possible. */
  ended(): void;
  /** The last call: the stream is gone. `error` is undefined after an orderly end. For `connect`: also the failure to connect. */
  closed(error: StreamError | undefined): void;
}

export interface ConnectOptions {
  readonly to: SocketAddress;
  /** Local address to bind first (`source`), port 0 for any. */
  readonly from?: SocketAddress;
  /** TCP keep-alive (`option srvtcpka`). */
  readonly keepAlive: boolean;
}

/** A listening socket that the supervisor bound and every worker shares; the adapter takes a duplicate of the descriptor. */
export interface ListenerSocket {
  readonly fd: number;
  readonly address: SocketAddress;
}

export interface AcceptOptions {
  /** TCP keep-alive on accepted streams (`option clitcpka`). */
  readonly keepAlive: boolean;
}

export interface Listener {
  /** Stops taking connections for now (frontend `maxconn` reached); they wait in the kernel's backlog. */
  pause(): void;
  resume(): void;
  /** Closes this worker's duplicate of the descriptor. The socket itself lives while anyone else holds it. */
  close(): void;
}

export interface Streams {
  /** `accepted` returns the handler for the new stream, or undefined to refuse it (it is then reset). */
  listen(
    socket: ListenerSocket,
    options: AcceptOptions,
    accepted: (stream: Stream) => StreamHandler | undefined,
  ): Listener;
  /** Starts to connect and returns at once; `opened` or `closed` follows. The returned stream can be closed or reset before. */
  connect(options: ConnectOptions, handler: StreamHandler): Stream;
}

// ---------------------------------------------------------------- logs

export interface LogSink {
  /**
   * Hands over one finished line [start, end) for log target `target` (index in the plan's `logTargets`).
   * Never blocks and never fails: what can't be sent is dropped and counted.
   */
  send(target: number, buffer: Uint8Array, start: number, end: number): void;
}

// ---------------------------------------------------------------- packets and links (VRRP)

/** A received protocol-112 packet, header facts taken from the kernel. */
export interface ReceivedPacket {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly source: string;
  readonly destination: string;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** The VRRP message without the IP header; a copy, the receiver may keep it. */
  readonly payload: Uint8Array;
}
