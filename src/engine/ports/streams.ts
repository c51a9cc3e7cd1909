/**
 * Byte streams, as the engine sees them. Nothing here is asynchronous in JavaScript's sense: results come as calls of a handler, always
 * from the adapter's own event loop, never from inside the call that asked for them.
 */
import type { SocketAddress } from '../../core/address.ts';

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
 * A byte stream: TCP or unix. Calls after `reset` or the handler's `closed` do nothing; after `close` only `reset` does something
 * (a peer that never reads can hold up an orderly end for ever: the engine's timeouts end that). Calls before `opened` are good:
 * bytes and a FIN wait until the stream is established.
 */
export interface Stream {
  /**
   * Queues bytes for sending. They are valid for this call only: the adapter sends them at once, copies them, or, when they are
   * a part of its own receive buffer, keeps that buffer until they have left. Writes made during one handler call are
   * gathered and leave when it returns (or at `flush`; at the latest before the adapter waits for events again).
   * Returns false when more than `highWaterBytes` (limits.ts) wait to be sent: stop, and go on at `drained`. Never refuses bytes.
   */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  /** Sends what was gathered, now. Only needed outside a handler call of this adapter. */
  flush(): void;
  /** Bytes accepted by `write` and not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Half-close: FIN after everything written has left. Reading goes on. Later writes are dropped. */
  shutdown(): void;
  /** Orderly end: sends what is queued, then FIN. Whatever the peer still sends is dropped. `closed` follows, with no error. */
  close(): void;
  /** Abortive end (RST on TCP): queued bytes are dropped. `closed` follows, with no error. */
  reset(): void;
  /**
   * From now on the adapter may pass bytes from this stream to `to` by itself, where it has a shorter way than `received` and `write`; an
   * adapter that has none leaves the method out. It tells them by `relayed`. Others still come by `received`, at any moment: the caller
   * writes those to `to`, in their place among the rest, and nothing else before all are passed. A FIN is told by `ended`, behind all bytes.
   * It ends with these bytes, with either stream, or when `to` is shut down.
   * @param bytes how many are certain to come and to be for `to`, shown ones included; Infinity: whatever comes, much or little.
   */
  relay?(to: Stream, bytes: number): void;
  /** Back-pressure: after `pause` no `received` comes until `resume`. Idempotent. A FIN or an error may be told before, or only then. */
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
  /** Bytes [start, end) of `buffer`, valid for this call only; at least one. The handler may write over them. */
  received(buffer: Uint8Array, start: number, end: number): void;
  /**
   * After `relay`: so many bytes went to the other stream without being shown; they count as written to it (`unsentBytes`).
   * 0: some that waited there have left since.
   */
  relayed?(bytes: number): void;
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
  /** The `backlog` it was bound with; undefined = the kernel's most. (node:net listens again on its duplicate, which sets it anew.) */
  readonly backlog?: number;
}

export interface AcceptOptions {
  /** TCP keep-alive on accepted streams (`option clitcpka`). */
  readonly keepAlive: boolean;
}

export interface Listener {
  /** Stops taking connections for now (frontend `maxconn` reached); they wait in the kernel's backlog. */
  pause(): void;
  resume(): void;
  /**
   * Closes this worker's duplicate of the descriptor. The socket itself lives while anyone else holds it. Connections that the kernel
   * had for this listener by then may still be passed to `accepted`.
   */
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
