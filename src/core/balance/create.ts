/** From the words of `balance` and `hash-type` to the algorithm, in one place. */
import { RingBalance, ringCells } from './consistent.ts';
import { FirstAvailable, firstCells } from './first.ts';
import { LeastConnections, leastConnectionsCells } from './leastconn.ts';
import { MapBalance, mapCells } from './map.ts';
import { RoundRobin, roundRobinCells } from './roundrobin.ts';
import type { Balance, BalanceServers } from './servers.ts';

/** The part of a plan's `balance` that decides which algorithm it is. */
export interface BalanceChoice {
  readonly algorithm: 'roundrobin' | 'static-rr' | 'leastconn' | 'first' | 'source' | 'uri' | 'hdr' | 'random';
  readonly randomDraws: number;
  readonly hashMethod: 'map-based' | 'consistent';
  readonly hashBalanceFactor: number;
}

export function createBalance(choice: BalanceChoice, servers: BalanceServers): Balance {
  switch (choice.algorithm) {
    case 'roundrobin':
      return new RoundRobin(servers);
    case 'static-rr':
      return new MapBalance(servers, false);
    case 'leastconn':
      return new LeastConnections(servers);
    case 'first':
      return new FirstAvailable(servers);
    case 'random':
      // hash-balance-factor works here too: it bounds what one server can be drawn for (manual 4.2 balance random).
      return new RingBalance(servers, {
        draws: Math.max(choice.randomDraws, 1),
        balanceFactor: choice.hashBalanceFactor,
      });
    case 'source':
    case 'uri':
    case 'hdr':
      return choice.hashMethod === 'consistent'
        ? new RingBalance(servers, { draws: 0, balanceFactor: choice.hashBalanceFactor })
        : new MapBalance(servers, true);
  }
}

/** Cells that the algorithm keeps on the board. */
export function balanceCells(choice: BalanceChoice, servers: number): number {
  switch (choice.algorithm) {
    case 'roundrobin':
      return roundRobinCells(servers);
    case 'leastconn':
      return leastConnectionsCells(servers);
    case 'first':
      return firstCells;
    case 'random':
    case 'static-rr':
    case 'source':
    case 'uri':
    case 'hdr':
      return Math.max(mapCells, ringCells);
  }
}

/** True when weights may change while running (manual 5.2 `slowstart`: not with static-rr, first and map-based hashes). */
export function weightsAreDynamic(choice: BalanceChoice): boolean {
  switch (choice.algorithm) {
    case 'roundrobin':
    case 'leastconn':
    case 'random':
      return true;
    case 'static-rr':
    case 'first':
      return false;
    case 'source':
    case 'uri':
    case 'hdr':
      return choice.hashMethod === 'consistent';
  }
}
