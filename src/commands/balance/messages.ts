/** What supervisor and worker threads say to each other. Rare things only: everything on the hot path goes over the board. */
import type { SocketAddress } from '../../core/address.ts';
import type { ListenerSocket } from '../../engine/ports/streams.ts';
import type { BalancerPlan } from '../../plan/balancer.ts';

/** Handed to a new worker thread. */
export interface WorkerStart {
  readonly plan: BalancerPlan;
  /** The board's memory, and how many workers it was laid out for. */
  readonly board: SharedArrayBuffer;
  readonly workers: number;
  /** This worker's index on the board. */
  readonly index: number;
  /** One counter for each worker: it is raised and notified to wake that worker's event loop. */
  readonly wakeCells: SharedArrayBuffer;
  /** For each frontend the sockets of its bind lines, in the plan's order. */
  readonly listeners: readonly (readonly ListenerSocket[])[];
  /** Addresses that servers have by now, where these are not the plan's. */
  readonly addresses: readonly ServerAddress[];
  /** For a thread on io_uring: where it writes down what it holds of the process (adapters/uring/ledger.ts). Undefined: Node's sockets. */
  readonly ledger: SharedArrayBuffer | undefined;
}

export type ToWorker =
  /** Close what is idle, and every connection after its next response; go on taking new ones. */
  | { readonly kind: 'drain' }
  /** Take no new connection; end when the last exchange is over. `processEnds`: only say so, the process ends as soon as all have. */
  | { readonly kind: 'soft-stop'; readonly processEnds: boolean }
  /** Break everything off and end. */
  | { readonly kind: 'abort'; readonly processEnds: boolean }
  /** End the server's sessions (`on-marked-down shutdown-sessions`). */
  | { readonly kind: 'server-down'; readonly backend: number; readonly server: number }
  /** The server's name has another address now, or none. */
  | ({ readonly kind: 'server-address' } & ServerAddress);

export interface ServerAddress {
  readonly backend: number;
  readonly server: number;
  readonly address: SocketAddress | undefined;
}

export type FromWorker =
  /** Every listener of this worker takes connections. */
  | { readonly kind: 'listening' }
  /** `cpu-map` could not be followed. */
  | { readonly kind: 'not-pinned'; readonly reason: string }
  /** The last exchange is over; the thread ends by itself, unless the process does. */
  | { readonly kind: 'finished' };
