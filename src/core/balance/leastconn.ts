/**
 * `balance leastconn`: the server with the fewest requests for its weight, those that wait for it included. Equal servers take turns: among them the
 * one whose load changed longest ago comes first (as HAProxy's sorted list does).
 */
import { type Balance, type BalanceServers, weightMax } from './servers.ts';

/** Cells: a counter of changes, then for each server its load for its weight and when that last changed. */
const perServer = 2;
export function leastConnectionsCells(servers: number): number {
  return 1 + perServer * servers;
}

export class LeastConnections implements Balance {
  readonly #servers: BalanceServers;

  constructor(servers: BalanceServers) {
    this.#servers = servers;
  }

  start(): void {
    for (let server = 0; server < this.#servers.count; server++) this.#stamp(server);
  }

  pick(_hash: number, avoid: number): number {
    const { summary, count, weights, backup, cells } = this.#servers;
    if (summary.active === 0) {
      if (summary.firstBackup >= 0) return summary.firstBackup;
      if (summary.backups === 0) return -1;
    }
    const useBackups = summary.active === 0;
    let best = -1;
    let avoided = -1;
    for (let server = 0; server < count; server++) {
      if (weights[server] === 0 || backup[server] !== useBackups || !this.#servers.hasRoomInQueue(server)) continue;
      if (server === avoid) avoided = server;
      else if (best < 0 || before(cells, server, best)) best = server;
    }
    return best >= 0 ? best : avoided;
  }

  weightChanged(server: number): void {
    this.loadChanged(server);
  }

  loadChanged(server: number): void {
    if (this.#load(server) !== this.#servers.cells[1 + server * perServer]) this.#stamp(server);
  }

  /** HAProxy's key: an idle server is 0 whatever its weight, else one request more than there are, for the weight. */
  #load(server: number): number {
    const { served, queued, weights } = this.#servers;
    const requests = served[server] + queued[server];
    if (requests === 0 || weights[server] === 0) return 0;
    return Math.trunc(((requests + 1) * weightMax) / weights[server]);
  }

  #stamp(server: number): void {
    const { cells } = this.#servers;
    cells[1 + server * perServer] = this.#load(server);
    cells[2 + server * perServer] = ++cells[0];
  }
}

function before(cells: Float64Array, one: number, other: number): boolean {
  const a = 1 + one * perServer;
  const b = 1 + other * perServer;
  return cells[a] < cells[b] || (cells[a] === cells[b] && cells[a + 1] < cells[b + 1]);
}
