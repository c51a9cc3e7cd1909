/** How many events a thread has to do with: whether it pays to wait for company depends on how soon it comes. */

/** Over so long at least: much longer than a wait, and short enough for a burst to be noticed. */
const windowMs = 5;

export class EventRate {
  #perMs = 0;
  #events = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Of the last whole window; a pause counts as part of it. */
  get perMs(): number {
    return this.#perMs;
  }

  count(events: number, nowMs: number): void {
    this.#events += events;
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs < windowMs) return;
    this.#perMs = this.#events / passedMs;
    this.#events = 0;
    this.#sinceMs = nowMs;
  }
}
