/** How late this process's timers have come of late: the worst within the last ten to twenty seconds. */

const windowMs = 10_000;

export class Lateness {
  #windowFrom = -Infinity;
  #worstNow = 0;
  #worstBefore = 0;

  note(lateMs: number, now: number): void {
    this.#turn(now);
    this.#worstNow = Math.max(this.#worstNow, lateMs);
  }

  /** Milliseconds. */
  worst(now: number): number {
    this.#turn(now);
    return Math.max(this.#worstNow, this.#worstBefore);
  }

  #turn(now: number): void {
    if (now < this.#windowFrom + windowMs) return;
    this.#worstBefore = now < this.#windowFrom + 2 * windowMs ? this.#worstNow : 0;
    this.#worstNow = 0;
    this.#windowFrom = now;
  }
}
