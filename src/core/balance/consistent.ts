/**
 * `hash-type consistent` and `balance random`: a ring on which each server has as many places as its weight says, each at a
 * position computed from the server's id, so that only the keys of a server that comes or goes move. A hash belongs to the nearest place.
 * Positions and choice are HAProxy's (its `lb_chash.c` method), so the same key goes to the same server.
 *
 * `hash-balance-factor` follows "Consistent Hashing with Bounded Loads" (Mirrokni, Thorup, Zadimoghaddam, arXiv 1608.01350).
 */
import { avalanche } from './hash.ts';
import { type Balance, type BalanceServers, weightMax } from './servers.ts';

/** One cell: the place last used when a request has no hash. */
export const ringCells = 1;

export interface RingOptions {
  /** `balance random`: servers drawn for each request, the least loaded wins; 0 when requests have a hash. */
  readonly draws: number;
  /** `hash-balance-factor` in percent of the average load, 0 = off. */
  readonly balanceFactor: number;
}

export class RingBalance implements Balance {
  readonly #servers: BalanceServers;
  readonly #options: RingOptions;
  #positions = new Uint32Array(0);
  #owners = new Uint16Array(0);
  #weightTotal = 0;
  /** Sum of the weights of the servers before this one. */
  readonly #weightBefore: Int32Array;
  #generation = -1;

  constructor(servers: BalanceServers, options: RingOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#weightBefore = new Int32Array(servers.count);
  }

  start(): void {}

  pick(hash: number, avoid: number, random: () => number): number {
    const { summary } = this.#servers;
    if (this.#generation !== summary.generation) this.#build();
    if (this.#options.draws > 0) return this.#draw(avoid, random);
    if (summary.active === 0 && summary.firstBackup >= 0) return summary.firstBackup;
    if (this.#positions.length === 0) return -1;
    return hash >= 0 ? this.#nearest(hash, avoid) : this.#next(avoid);
  }

  weightChanged(): void {}
  loadChanged(): void {}

  #draw(avoid: number, random: () => number): number {
    const servers = this.#servers;
    const { summary } = servers;
    let chosen = -1;
    if (summary.active === 0 && summary.firstBackup >= 0) chosen = summary.firstBackup;
    else if (this.#positions.length > 0)
      for (let draw = 0; draw < this.#options.draws; draw++) {
        const server = this.#nearest(random(), avoid);
        const better =
          chosen < 0 ||
          servers.served[server] * servers.weights[chosen] <= servers.served[chosen] * servers.weights[server];
        if (better) chosen = server;
      }
    // A full server is not waited for: the request waits for whichever is free first.
    return chosen >= 0 && servers.hasRoom(chosen) ? chosen : -1;
  }

  #nearest(hash: number, avoid: number): number {
    const positions = this.#positions;
    const places = positions.length;
    const at = lowerBound(positions, hash);
    const after = at === places ? 0 : at;
    const before = after === 0 ? places - 1 : after - 1;
    let place = (hash - positions[before]) >>> 0 <= (positions[after] - hash) >>> 0 ? before : after;
    for (let tried = 0; tried < places; tried++) {
      const server = this.#owners[place];
      if (server !== avoid && (this.#options.balanceFactor === 0 || this.#mayTake(server))) return server;
      place = place + 1 === places ? 0 : place + 1;
    }
    return this.#owners[place];
  }

  /** Each server gets its weight's share of (served + 1) × factor, at least one; fractions are spread in declaration order. */
  #mayTake(server: number): boolean {
    const weight = this.#servers.weights[server];
    const total = this.#weightTotal;
    const all = Math.trunc(((this.#servers.servedTotal() + 1) * this.#options.balanceFactor + 99) / 100);
    const rest = all % total;
    const before = this.#weightBefore[server];
    const slots =
      weight * Math.trunc(all / total) +
      Math.trunc(((before + weight) * rest) / total) -
      Math.trunc((before * rest) / total);
    return this.#servers.served[server] < Math.max(slots, 1);
  }

  /** A request without a hash: round the ring. */
  #next(avoid: number): number {
    const { cells } = this.#servers;
    const places = this.#positions.length;
    // The cell holds the position of the place last used plus one, so that a ring that changed is continued where it was left.
    const first = cells[0] === 0 ? 0 : upperBound(this.#positions, cells[0] - 1);
    let avoided = -1;
    for (let step = 0; step < places; step++) {
      const place = (first + step) % places;
      const server = this.#owners[place];
      if (!this.#servers.hasRoom(server)) continue;
      if (server !== avoid) {
        cells[0] = this.#positions[place] + 1;
        return server;
      }
      avoided = server;
    }
    return avoided;
  }

  #build(): void {
    const { summary, count, weights, backup, ids } = this.#servers;
    this.#generation = summary.generation;
    const useBackups = summary.active === 0;
    let total = 0;
    for (let server = 0; server < count; server++) {
      this.#weightBefore[server] = total;
      if (backup[server] === useBackups) total += weights[server];
    }
    this.#weightTotal = total;
    // Position above, owner below, so that one sort of numbers does it: 32 + 16 bits are exact in a Float64.
    const places = new Float64Array(total);
    let place = 0;
    for (let server = 0; server < count; server++) {
      if (backup[server] !== useBackups) continue;
      for (let nth = 0; nth < weights[server]; nth++)
        places[place++] = avalanche(Math.imul(ids[server], weightMax) + nth) * 65_536 + server;
    }
    places.sort();
    this.#positions = Uint32Array.from(places, (value) => Math.floor(value / 65_536));
    this.#owners = Uint16Array.from(places, (value) => value % 65_536);
  }
}

/** First index whose value is at least `wanted`. */
function lowerBound(values: Uint32Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index whose value is above `wanted`. */
function upperBound(values: Uint32Array, wanted: number): number {
  return lowerBound(values, wanted + 1);
}
