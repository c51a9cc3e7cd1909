/**
 * What a balancing algorithm sees of a backend's servers, and the interface that every algorithm implements.
 *
 * The arrays are columns of the board, shared by all worker threads; whoever calls an algorithm holds the backend's lock. An algorithm keeps
 * what must be common to all threads (the turn, positions) in `cells`; what follows from the weights alone (a map, a ring) it keeps
 * in its own memory and builds again when `generation` has changed.
 */

/** Weights on the board are the configured ones (0..256) times this, so that slowstart has finer steps (HAProxy's BE_WEIGHT_SCALE). */
export const weightScale = 16;

/** Largest scaled weight. */
export const weightMax = 256 * weightScale;

export interface BalanceServers {
  readonly count: number;
  /** Numeric ids (`id`, or counted from 1): places on the consistent-hash ring and the order of `balance first`. */
  readonly ids: readonly number[];
  readonly backup: readonly boolean[];
  readonly configuredWeights: readonly number[];
  /** `option allbackups`. */
  readonly allBackups: boolean;
  /** Scaled weight of each server, 0 when it must not be chosen (down, maintenance, drain, weight 0). */
  readonly weights: Int32Array;
  /** Requests being served and waiting in the server's own queue, all threads. */
  readonly served: Int32Array;
  readonly queued: Int32Array;
  readonly summary: UsableSummary;
  /** The algorithm's own cells, zero at first: `cellsNeeded` of them. */
  readonly cells: Float64Array;
  /** No limit, or below it with nobody waiting. */
  hasRoom(server: number): boolean;
  /** No limit, or served and waiting together are below maxconn plus maxqueue (leastconn may choose a server to wait for). */
  hasRoomInQueue(server: number): boolean;
  /** The backend's requests being served, all servers. */
  servedTotal(): number;
}

/** How many servers can be chosen; four cells of the board, kept by `recount`. */
export class UsableSummary {
  readonly #cells: Int32Array;

  /** @param cells four cells. */
  constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  /** Usable servers that are no backup. */
  get active(): number {
    return this.#cells[0];
  }
  /** Usable backups. */
  get backups(): number {
    return this.#cells[1];
  }
  /** The one backup in use without `option allbackups` (the first that is usable), or -1. */
  get firstBackup(): number {
    return this.#cells[2] - 1;
  }
  /** Changes with every change of a weight. */
  get generation(): number {
    return this.#cells[3];
  }

  recount(servers: Pick<BalanceServers, 'count' | 'weights' | 'backup' | 'allBackups'>): void {
    let active = 0;
    let backups = 0;
    let first = -1;
    for (let server = 0; server < servers.count; server++) {
      if (servers.weights[server] === 0) continue;
      if (!servers.backup[server]) active++;
      else if (backups++ === 0 && !servers.allBackups) first = server;
    }
    this.#cells[0] = active;
    this.#cells[1] = backups;
    this.#cells[2] = first + 1;
    this.#cells[3]++;
  }
}

export interface Balance {
  /** Called once for a new board, after the weights have been set and counted and before the first `pick`. */
  start(): void;
  /**
   * Chooses a server and takes its turn.
   * @param hash of the balance key, unsigned 32 bits, or -1 when the request has none.
   * @param avoid a server to pass over while there is another, or -1.
   * @param random draws an unsigned 32-bit number (`balance random`).
   * @returns a server, or -1 when none can be chosen now (all full, or none usable).
   */
  pick(hash: number, avoid: number, random: () => number): number;
  /** A server's scaled weight went from `previous` to `servers.weights[server]`; called once, by whoever changed it, after the recount. */
  weightChanged(server: number, previous: number): void;
  /** Called after `served` or `queued` of a server changed. */
  loadChanged(server: number): void;
}
