/** What one virtual router remembers for people and metrics: since when it is what it is, why, how often it changed, whom it heard. */

import type { HeardAdvertisement, RouterStateKind, RouterStatus } from './events.ts';

export class RouterHistory {
  sinceMs = 0;
  reason = 'not started';
  /** The other router last heard from; one that resigns is not noted, it is gone. */
  heard: RouterStatus['heard'];
  #toActive = 0;
  #fromActive = 0;

  changed(from: RouterStateKind, to: RouterStateKind, reason: string, now: number): void {
    this.sinceMs = now;
    this.reason = reason;
    if (to === 'active') this.#toActive++;
    if (from === 'active') this.#fromActive++;
  }

  hears({ source, priority }: HeardAdvertisement, now: number): void {
    if (priority > 0) this.heard = { source, priority, atMs: now };
  }

  get transitions(): RouterStatus['transitions'] {
    return { toActive: this.#toActive, fromActive: this.#fromActive };
  }
}
