/** The wire between the nodes: who hears whom, when, how often. */

import { SeededRandom } from './random.ts';
import type { NetworkPlan } from './schedule.ts';

export class Network {
  readonly plan: NetworkPlan;
  readonly #random: SeededRandom;
  readonly #count: number;
  readonly #cut: boolean[];
  readonly #lastArrival: number[];
  loss = 0;
  cuts = 0;

  constructor(plan: NetworkPlan, count: number, seed: number) {
    this.plan = plan;
    this.#count = count;
    this.#random = new SeededRandom(seed ^ 0x5bd1e995);
    this.#cut = new Array(count * count).fill(false);
    this.#lastArrival = new Array(count).fill(0);
  }

  /** Nothing is lost and nobody is cut off (a link that is down is a node's affair). */
  get whole(): boolean {
    return this.loss === 0 && this.cuts === 0;
  }

  cut(from: number, to: number): void {
    if (from >= this.#count || to >= this.#count || this.#cut[from * this.#count + to]) return;
    this.#cut[from * this.#count + to] = true;
    this.cuts++;
  }

  mend(): void {
    this.#cut.fill(false);
    this.cuts = 0;
  }

  connects(from: number, to: number): boolean {
    return !this.#cut[from * this.#count + to];
  }

  /** Calls `arrive` with the time of every copy of a message that gets through. */
  carry(from: number, to: number, now: number, arrive: (at: number) => void): void {
    if (!this.connects(from, to) || (this.loss > 0 && this.#random.chance(this.loss))) return;
    arrive(this.arrival(from, now));
    if (this.plan.duplicates > 0 && this.#random.chance(this.plan.duplicates)) arrive(this.arrival(from, now));
  }

  /** When a frame arrives: after every earlier one of the same node, as a switch passes them on, unless the network reorders. */
  arrival(from: number, now: number): number {
    const { delayMinMs, delayMaxMs, reorders } = this.plan;
    const at = now + delayMinMs + this.#random.fraction() * (delayMaxMs - delayMinMs);
    if (reorders) return at;
    const inOrder = Math.max(at, this.#lastArrival[from]!);
    this.#lastArrival[from] = inOrder;
    return inOrder;
  }
}
