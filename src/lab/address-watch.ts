/** Which nodes hold the virtual address, and since when: told by the kernel (`ip monitor`), not polled. */
import { createInterface } from 'node:readline';
import type { Host } from './network.ts';
import { monotonicMs } from './prober/load.ts';

export interface Holding {
  readonly node: string;
  readonly from: number;
  readonly to: number | undefined;
}

export class AddressWatch {
  readonly #address: string;
  readonly #told: (at: number, node: string, held: boolean) => void;
  readonly #past: Holding[] = [];
  readonly #held = new Map<string, number>();

  constructor(address: string, told: (at: number, node: string, held: boolean) => void) {
    this.#address = address;
    this.#told = told;
  }

  /** Watches a host from now on; its end counts as letting go. */
  async watch(host: Host): Promise<void> {
    const monitor = host.run(['ip', '-ts', '-o', 'monitor', 'address'], { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface(monitor.stdout!).on('line', (line) => {
      if (!line.includes(` ${this.#address}/`) && !line.includes(` ${this.#address} peer`)) return;
      // There it serves connections that were open, and answers nobody who asks for it.
      if (/ \d+: lo\b/.test(line)) return;
      this.#change(host.name, !line.includes('Deleted'), timeOf(line));
    });
    monitor.on('exit', () => this.#change(host.name, false, monotonicMs()));
    await new Promise((resolve) => monitor.once('spawn', resolve));
  }

  holders(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Every time that a node held the address and that reaches into [from, to). */
  holdings(from: number, to: number): readonly Holding[] {
    const now = [...this.#held].map(([node, since]) => ({ node, from: since, to: undefined }));
    return [...this.#past, ...now].filter((each) => each.from < to && (each.to ?? to) >= from);
  }

  #change(node: string, held: boolean, at: number): void {
    const since = this.#held.get(node);
    if (held === (since !== undefined)) return;
    if (held) this.#held.set(node, at);
    else {
      this.#held.delete(node);
      this.#past.push({ node, from: since!, to: at });
    }
    this.#told(at, node, held);
  }
}

/** `[2026-11-22T08:41:22.502421] …` in local time, on the monotonic clock; now, where there is no such stamp. */
function timeOf(line: string): number {
  const now = monotonicMs();
  const stamp = /^\[(\S+?)(\d{3})?\]/.exec(line);
  const wall = stamp === null ? Number.NaN : Date.parse(stamp[1]!) + Number(stamp[2] ?? 0) / 1000;
  const age = Date.now() - wall;
  return age >= 0 && age < 10_000 ? now - age : now;
}
