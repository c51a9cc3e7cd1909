/**
 * `balance static-rr` and `hash-type map-based`: a list in which each server stands as often as its weight says, evenly spread.
 * static-rr walks through the list, a hash points into it. The list is the same as HAProxy's (its `lb_map.c` method): weights are divided by their
 * greatest common divisor, then each place goes to the server that is most behind its share, the first declared winning ties.
 */
import type { Balance, BalanceServers } from './servers.ts';

/** One cell: the next place of static-rr. */
export const mapCells = 1;

export class MapBalance implements Balance {
  readonly #servers: BalanceServers;
  readonly #hashed: boolean;
  readonly #divisor: number;
  #map = new Uint16Array(0);
  #generation = -1;

  /** @param hashed true when requests have a hash, false for static-rr. */
  constructor(servers: BalanceServers, hashed: boolean) {
    this.#servers = servers;
    this.#hashed = hashed;
    this.#divisor = servers.configuredWeights.reduce(greatestCommonDivisor, 0) || 1;
  }

  start(): void {}

  pick(hash: number, avoid: number): number {
    if (this.#generation !== this.#servers.summary.generation) this.#build();
    if (this.#map.length === 0) return -1;
    return this.#hashed && hash >= 0 ? this.#named(hash % this.#map.length, avoid) : this.#next(avoid);
  }

  weightChanged(): void {}
  loadChanged(): void {}

  /**
   * A hash names its server, full or not: the request waits there (manual 4.2 balance source). When it has just failed there, the next other
   * server in the list takes it (HAProxy would ask the same one again until checks have taken it out).
   */
  #named(place: number, avoid: number): number {
    const places = this.#map.length;
    let step = 0;
    while (step < places && this.#map[(place + step) % places] === avoid) step++;
    return this.#map[(place + step) % places];
  }

  #next(avoid: number): number {
    const { cells } = this.#servers;
    const places = this.#map.length;
    const first = cells[0] < places ? cells[0] : 0;
    let avoided = -1;
    let afterAvoided = first;
    for (let step = 0; step < places; step++) {
      const place = (first + step) % places;
      const server = this.#map[place];
      if (!this.#servers.hasRoom(server)) continue;
      if (server !== avoid) {
        cells[0] = place + 1;
        return server;
      }
      avoided = server;
      afterAvoided = place + 1;
    }
    cells[0] = afterAvoided;
    return avoided;
  }

  #build(): void {
    const { summary, count, weights, backup, configuredWeights } = this.#servers;
    this.#generation = summary.generation;
    const useBackups = summary.active === 0;
    const share = new Int32Array(count);
    let places = 0;
    for (let server = 0; server < count; server++) {
      if (weights[server] === 0 || backup[server] !== useBackups) continue;
      if (useBackups && summary.firstBackup >= 0 && server !== summary.firstBackup) continue;
      share[server] = Math.ceil(configuredWeights[server] / this.#divisor);
      places += share[server];
    }
    const score = new Int32Array(count);
    this.#map = new Uint16Array(places);
    for (let place = 0; place < places; place++) {
      let best = -1;
      let most = 0;
      for (let server = 0; server < count; server++) {
        if (share[server] === 0) continue;
        score[server] += share[server];
        const behind = Math.trunc((score[server] + places) / places);
        if (best < 0 || behind > most) {
          most = behind;
          best = server;
        }
      }
      this.#map[place] = best;
      score[best] -= places;
    }
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
