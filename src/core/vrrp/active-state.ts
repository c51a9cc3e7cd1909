/** What an active router keeps: Adver_Timer (RFC 9568 §6.4.3), and what it does for its addresses. */

import { Announcing, addressesOf } from './announcing.ts';
import type { Outbox } from './outbox.ts';
import type { VirtualRouterSettings } from './settings.ts';

/**
 * A stall up to this long is no reason to let go: what others said meanwhile waits in the socket and is heard first. Without it an interval
 * of 10 ms would turn each hiccup of the machine into two moves of the address.
 */
export const shortStallMs = 100;

export class ActiveState {
  readonly kind = 'active';
  readonly announcing: Announcing;
  readonly #out: Outbox;
  /** When Adver_Timer fires. */
  #advertiseAt: number;

  /** The advertisement first: a router that still holds the addresses lets go before ours are announced. */
  constructor(out: Outbox, settings: VirtualRouterSettings, priority: number, now: number) {
    this.#out = out;
    out.advertise(priority);
    out.put({ kind: 'add-addresses', addresses: addressesOf(settings), all: true });
    this.announcing = new Announcing(out, settings, now);
    this.#advertiseAt = now + settings.advertisementIntervalMs;
  }

  deadline(): number {
    return Math.min(this.#advertiseAt, this.announcing.deadline());
  }

  timer(settings: VirtualRouterSettings, priority: number, now: number): void {
    if (now >= this.#advertiseAt) this.advertise(settings, priority, now, this.#advertiseAt);
    this.announcing.timer(settings, now);
  }

  /** `from`: the deadline that was kept a little late. The next one counts from it, so that lateness does not add up; never in the past. */
  advertise(settings: VirtualRouterSettings, priority: number, now: number, from = now): void {
    const intervalMs = settings.advertisementIntervalMs;
    this.#out.advertise(priority);
    const next = from + intervalMs;
    this.#advertiseAt = next > now ? next : now + intervalMs;
  }

  reloaded(before: VirtualRouterSettings, settings: VirtualRouterSettings, now: number): void {
    this.announcing.reloaded(addressesOf(before), settings, now);
    this.#advertiseAt = Math.min(this.#advertiseAt, now + settings.advertisementIntervalMs);
  }

  /** For how long nothing was said, if for so long that others must have given the router up; else undefined. */
  silentTooLong({ advertisementIntervalMs, downTimerAdverts }: VirtualRouterSettings, now: number): number | undefined {
    const silenceMs = Math.max(downTimerAdverts - 1, 0.5) * advertisementIntervalMs;
    const late = now >= this.#advertiseAt + Math.max(silenceMs, shortStallMs);
    return late ? now - this.#advertiseAt + advertisementIntervalMs : undefined;
  }
}
