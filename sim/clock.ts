/**
 * Virtual time: a queue of events, done in order of time and, at one time, in the order they were asked for. Nothing happens by
 * itself; a run is the same each time it is made.
 */
import type { Alarm, Clock, Random } from '../src/engine/ports/time.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  /** Undefined once it was taken back. */
  action: (() => void) | undefined;
}

export class VirtualTime implements Clock {
  #now: number;
  readonly #wallOffset: number;
  readonly #heap: Event[] = [];
  #order = 0;

  /** @param wallMs wall clock at the beginning, milliseconds since 1970. */
  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#now = 0;
    this.#wallOffset = wallMs;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallOffset + this.#now;
  }

  alarm(ring: () => void): Alarm {
    let event: Event | undefined;
    const clear = (): void => {
      if (event !== undefined) event.action = undefined;
      event = undefined;
    };
    return {
      set: (atMs) => {
        clear();
        event = this.at(atMs, ring);
      },
      clear,
    };
  }

  /** Has `action` done at `atMs`, or next if that is past. */
  at(atMs: number, action: () => void): Event {
    const event = { at: Math.max(atMs, this.#now), order: this.#order++, action };
    this.#push(event);
    return event;
  }

  after(ms: number, action: () => void): Event {
    return this.at(this.#now + ms, action);
  }

  /** Does the next event. Returns false when there is none. */
  step(): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      const { action } = event;
      if (action === undefined) continue;
      event.action = undefined;
      this.#now = event.at;
      action();
      return true;
    }
  }

  /** Does everything up to and including `untilMs`; time is `untilMs` afterwards. */
  run(untilMs: number): void {
    for (;;) {
      while (this.#heap.length > 0 && this.#heap[0]!.action === undefined) this.#pop();
      const next = this.#heap[0];
      if (next === undefined || next.at > untilMs) break;
      this.step();
    }
    this.#now = Math.max(this.#now, untilMs);
  }

  #before(a: Event, b: Event): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** A sequence of chance that its seed reproduces (Mulberry32). */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return this.uint32() % bound;
  }
}
