/** When a host held an address, from what `ip -o -ts monitor address` printed. Times are the wall clock's, in milliseconds. */
import type { Program } from '../namespaces/lab.ts';

export interface Change {
  readonly atMs: number;
  readonly held: boolean;
}

/** From, to. */
export type Span = readonly [number, number];

/** On an interface: what the loopback keeps for open connections, nobody else can reach. The kernel tells of it late (IPv6: after it is gone elsewhere). */
const changeLine = /^\[([^\]]+)\]\s*(Deleted )?\d+: (?!lo\s)\S+\s+inet6? ([^/\s]+)/;

export class AddressRecord {
  readonly #monitor: Pick<Program, 'output'>;
  readonly #address: string;
  readonly #changes: Change[] = [];
  #read = 0;

  constructor(monitor: Pick<Program, 'output'>, address: string) {
    this.#monitor = monitor;
    this.#address = address;
  }

  /** Taken and dropped in turn: a renewal is no change. */
  get changes(): readonly Change[] {
    const text = this.#monitor.output;
    const end = text.lastIndexOf('\n') + 1;
    if (end > this.#read) {
      for (const line of text.slice(this.#read, end).split('\n')) this.#note(line);
      this.#read = end;
    }
    return this.#changes;
  }

  get held(): boolean {
    return this.changes.at(-1)?.held ?? false;
  }

  #note(line: string): void {
    const found = changeLine.exec(line);
    if (found?.[3] !== this.#address) return;
    const held = found[2] === undefined;
    if (held !== (this.#changes.at(-1)?.held ?? false)) this.#changes.push({ atMs: Date.parse(found[1] ?? ''), held });
  }

  /** @param now where the last one ends, if it is still held. */
  spans(now: number): Span[] {
    const { changes } = this;
    return changes.flatMap(({ atMs, held }, index): Span[] => (held ? [[atMs, changes[index + 1]?.atMs ?? now]] : []));
  }
}

/** The spans without what lies in one of the cuts. */
export function without(spans: readonly Span[], cuts: readonly Span[]): Span[] {
  let left = [...spans];
  for (const [begin, end] of cuts)
    left = left
      .flatMap(([from, to]): Span[] => [
        [from, Math.min(to, begin)],
        [Math.max(from, end), to],
      ])
      .filter(([from, to]) => from < to);
  return left;
}

/** For how long more than one of these spans lasted at the same time. */
export function overlapMs(spans: readonly Span[]): number {
  const edges = spans.flatMap(([from, to]) => [
    { atMs: from, by: 1 },
    { atMs: to, by: -1 },
  ]);
  edges.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let count = 0;
  let since = 0;
  let total = 0;
  for (const { atMs, by } of edges) {
    if (count > 1) total += atMs - since;
    count += by;
    since = atMs;
  }
  return total;
}
