/**
 * The way out of a daemon's routers: they have resigned, and their addresses outlast them for a moment. First these move to their next
 * holder, then whatever is open needs them no more, then the daemon can end.
 */
import type { RouterDriver } from './router-driver.ts';

export class Ending {
  #moved: (() => void) | undefined;
  #released: (() => void) | undefined;

  /** Each is called once: when no address is on the way to its next holder, and when nothing is left of any. */
  constructor(moved: () => void, released: () => void) {
    this.#moved = moved;
    this.#released = released;
  }

  /** How far it is. @returns true when nothing is left to wait for. */
  look(drivers: readonly RouterDriver[]): boolean {
    if (this.#moved !== undefined && drivers.every((driver) => driver.moved)) {
      const moved = this.#moved;
      this.#moved = undefined;
      moved();
    }
    if (!drivers.every((driver) => driver.deadline() === Infinity)) return false;
    const released = this.#released;
    this.#released = undefined;
    released?.();
    return true;
  }
}
