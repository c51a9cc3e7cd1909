/**
 * An interface that has its link again: the hardware addresses of those behind it are asked for at once.
 *
 * With the link the kernel forgot them all, and what was sent meanwhile made it ask in vain. It asks again up to a second after its last
 * question; the node may have its addresses back before that, and clients would wait for the web servers' hardware addresses.
 */
import type { Link, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

export class ReturningLinks {
  readonly #links: Pick<Links, 'links' | 'askNeighbours'>;
  readonly #journal: Journal;
  readonly #running = new Set<number>();
  #failed = false;

  constructor(links: Pick<Links, 'links' | 'askNeighbours'>, journal: Journal) {
    this.#links = links;
    this.#journal = journal;
  }

  /** What runs by now has not come back. */
  begin(): void {
    for (const { index, running } of this.#links.links()) if (running) this.#running.add(index);
  }

  /** As the kernel says it, without `interface_up_down_delays`: questions cost nothing, and the answers come while it settles. */
  changed({ index, name, running }: Link): void {
    if (!running) this.#running.delete(index);
    if (!running || this.#running.has(index)) return;
    this.#running.add(index);
    const failure = this.#links.askNeighbours(index);
    if (failure === undefined || this.#failed) return;
    this.#failed = true;
    const wait = 'requests may wait for them up to a second whenever a link returns';
    this.#journal.log('warning', `${name}: hardware addresses cannot be asked for anew (${failure}): ${wait}`);
  }

  /** One that is made again may get the same index. */
  removed({ index }: Link): void {
    this.#running.delete(index);
  }
}
