/** What happens next: a binary heap ordered by time, then by rank (messages before timers), then by age. */

export interface Scheduled<T> {
  readonly at: number;
  readonly rank: number;
  readonly age: number;
  readonly what: T;
}

export class EventQueue<T> {
  readonly #heap: Scheduled<T>[] = [];
  #ages = 0;

  push(at: number, rank: number, what: T): void {
    const heap = this.#heap;
    const entry = { at, rank, age: this.#ages++, what };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  pop(): Scheduled<T> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function before<T>(a: Scheduled<T>, b: Scheduled<T>): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.rank !== b.rank ? a.rank < b.rank : a.age < b.age;
}
