/**
 * Spaces announcements out (vrrp_garp_interval, vrrp_gna_interval): bursts go in as addresses, single frames come out when they are due.
 * Switches drop bursts, so the interval counts between any two frames of one kind on one interface, whichever router they are for.
 */

import { announcementsWaitingMax } from '../limits.ts';
import type { VirtualAddress } from './settings.ts';

export interface AnnouncementSpacing {
  readonly intervalMs: number;
  readonly naIntervalMs: number;
}

interface Waiting {
  readonly owner: string;
  readonly device: string;
  readonly address: VirtualAddress;
  readonly spacingMs: number;
}

/** One for all virtual routers of a process. */
export class AnnouncementSchedule {
  #waiting: Waiting[] = [];
  /** When the next frame of a kind may leave on an interface. */
  readonly #freeAt = new Map<string, number>();

  /** `repeat` rounds over `addresses`, for the router named `owner`; `device` where an address names none. A burst on top of too many that wait is dropped. */
  add(
    owner: string,
    device: string,
    addresses: readonly VirtualAddress[],
    repeat: number,
    spacing: AnnouncementSpacing,
  ): void {
    if (this.#waiting.length >= announcementsWaitingMax) return;
    for (let round = 0; round < repeat; round++) {
      for (const address of addresses) {
        const spacingMs = address.family === 'ipv4' ? spacing.intervalMs : spacing.naIntervalMs;
        this.#waiting.push({ owner, device: address.device ?? device, address, spacingMs });
      }
    }
  }

  /** The router gave its addresses up: what waits for it is dropped. */
  cancel(owner: string): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.owner !== owner);
  }

  /** The next frame that may leave now, or undefined. */
  poll(now: number): { readonly owner: string; readonly device: string; readonly address: VirtualAddress } | undefined {
    const index = this.#waiting.findIndex((waiting) => this.#dueAt(waiting) <= now);
    if (index === -1) return undefined;
    const [due] = this.#waiting.splice(index, 1);
    if (due!.spacingMs > 0) this.#freeAt.set(channelOf(due!), now + due!.spacingMs);
    return due;
  }

  deadline(): number | undefined {
    let earliest = Infinity;
    for (const waiting of this.#waiting) earliest = Math.min(earliest, this.#dueAt(waiting));
    return earliest === Infinity ? undefined : earliest;
  }

  #dueAt(waiting: Waiting): number {
    return this.#freeAt.get(channelOf(waiting)) ?? 0;
  }
}

function channelOf({ device, address }: Waiting): string {
  return `${address.family} ${device}`;
}
