/**
 * Clients in virtual time: one asks every few milliseconds, at the virtual address, whoever its neighbour table says has it. An exchange
 * takes no time where the balancer serves; what the balancers do with requests is not played.
 */

import { defaultLoad } from '../../src/lab/prober/load.ts';
import type { Outcome, ProbeRecord } from '../../src/lab/prober/outage.ts';
import type { VirtualTime } from '../clock.ts';
import { frameMs } from '../vrrp/plan-cluster.ts';

/** What a request meets at a node: `silent` stands for a host that is not there, drops it, or accepts it and says nothing. */
export type Reception = 'answers' | 'refuses' | 'silent' | 'hangs';

export interface Neighbours {
  /** Who announced the address last, as far as the clients' switch and table know. */
  announced(): string | undefined;
  reception(node: string): Reception;
  /** Who would answer when the clients ask the network again who has the address. */
  answersArp(): string | undefined;
}

/**
 * A neighbour that does not answer is asked for again after this long, milliseconds: Linux's defaults on average (base_reachable_time_ms 30 s,
 * delay_first_probe_time 5 s, three unicast probes of 1 s; arp(7)).
 */
const neighbourMs = 38_000;

export class Clients {
  readonly records: ProbeRecord[] = [];
  readonly #time: VirtualTime;
  readonly #network: Neighbours;
  /** Requests that a frozen balancer has accepted, by node. */
  readonly #hanging: { readonly node: string; readonly started: number }[] = [];
  #neighbour: string | undefined;
  #announced: string | undefined;
  #answeredAt = 0;

  constructor(time: VirtualTime, network: Neighbours) {
    this.#time = time;
    this.#network = network;
    this.#ask();
  }

  /** Something changed at a node: who waits there may be answered now. */
  look(): void {
    const now = this.#time.now();
    for (let i = 0; i < this.#hanging.length; i++) {
      const { node, started } = this.#hanging[i]!;
      if (this.#network.reception(node) === 'hangs') continue;
      this.#hanging.splice(i--, 1);
      if (this.#network.reception(node) === 'answers') this.#record(started, now, 'ok', node);
      else this.#record(started, now, 'reset', '');
    }
  }

  #ask(): void {
    const now = this.#time.now();
    this.#time.after(1000 / defaultLoad.newPerSecond, () => this.#ask());
    const overdue = this.#hanging.findIndex(({ started }) => started + defaultLoad.patienceMs > now);
    for (const { started } of this.#hanging.splice(0, overdue < 0 ? this.#hanging.length : overdue))
      this.#record(started, started + defaultLoad.patienceMs, 'timeout', '');
    const node = this.#lookUp(now);
    const reception = node === undefined ? 'silent' : this.#network.reception(node);
    if (reception === 'answers') {
      this.#answeredAt = now;
      this.#record(now, now + 2 * frameMs, 'ok', node!);
    } else if (reception === 'refuses') this.#record(now, now + 2 * frameMs, 'refused', '');
    else if (reception === 'hangs') this.#hanging.push({ node: node!, started: now });
    else this.#record(now, now + defaultLoad.patienceMs, 'timeout', '');
  }

  #lookUp(now: number): string | undefined {
    const announced = this.#network.announced();
    const stale = now - this.#answeredAt > neighbourMs;
    if (announced !== this.#announced) this.#neighbour = announced;
    else if (stale || this.#neighbour === undefined) this.#neighbour = this.#network.answersArp() ?? this.#neighbour;
    this.#announced = announced;
    return this.#neighbour;
  }

  #record(started: number, finished: number, outcome: Outcome, server: string): void {
    const status = outcome === 'ok' ? 200 : 0;
    this.records.push({ due: started, started, finished, outcome, status, server, kind: 'new' });
  }
}
