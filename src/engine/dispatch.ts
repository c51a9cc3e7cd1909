/**
 * Dispatch: which server gets a request, with maxconn, minconn and queues exact across all worker threads.
 * This file is the border between the proxy (which knows exchanges) and the board (which knows servers).
 */

/** Results of `assign` that are not a server index. */
export const queued = -1;
export const noServer = -2;
export const queueFull = -3;

/** A request or session that wants a server. Implemented by the proxy; one object each, no closures. */
export interface Waiter {
  /** Hash of the balance key for source/uri/hdr, -1 when the algorithm needs none or the key is absent. */
  readonly balanceHash: number;
  /** A server that this request must avoid if there is another (it failed there), or -1. */
  readonly avoidServer: number;
  /**
   * Its place in the queues on the board: written by Dispatch only, -1 while it doesn't wait (the initial value).
   * Queues are lists on the board, in one order for all threads, so a waiter needs no links of its own and a queue costs no allocation.
   */
  queueTicket: number;
  /** A slot was reserved for this waiter on `server`: connect there. Called from the worker's own event loop, never from inside a call of Dispatch. */
  slotGranted(server: number): void;
  /** The server it waited for went away and there is no other (503). Called as `slotGranted` is. */
  slotRefused(result: typeof noServer | typeof queueFull): void;
}

/** One object for each backend and worker thread. Server indexes are those of the backend's plan. */
export interface Dispatch {
  /**
   * Chooses a usable server and counts the request in (served + 1), or queues the waiter.
   * Returns a server index, `queued`, `noServer` (none is usable: 503) or `queueFull` (maxqueue everywhere: 503).
   */
  assign(waiter: Waiter): number;
  /** As `assign`, but stays on `server` when that is usable (a retry on the same server). */
  assignTo(waiter: Waiter, server: number): number;
  /** Counts a request out (served - 1) and hands its slot to the longest waiting one, on whichever thread that is. */
  release(server: number): void;
  /** Takes a waiter out of its queue (timeout queue, client gone). */
  abandon(waiter: Waiter): void;
  /** True while the server takes new requests (up, weight > 0, not disabled). */
  usable(server: number): boolean;
  /** Which server's queue a waiter that `assign` just put into one stands in; -1 = the backend's, where any server serves it. */
  queuedAt(waiter: Waiter): number;
  /** After `assign` returned `queueFull`: the server whose queue was full, for the log, or -1. */
  fullServer(): number;
  /** For log lines: requests in the server's queue and the backend's, all threads. */
  serverQueueLength(server: number): number;
  backendQueueLength(): number;
  /** Requests being served, all threads (%sc and %bc). */
  serverConnections(server: number): number;
  backendConnections(): number;
}
