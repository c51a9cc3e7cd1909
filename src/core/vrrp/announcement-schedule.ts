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

/** `garp_group`: gaps between any two frames on these interfaces taken together. Undefined: the router's own spacing holds. */
export interface AnnouncementGroup {
  readonly interfaces: readonly string[];
  readonly garpIntervalMs: number | undefined;
  readonly naIntervalMs: number | undefined;
}

interface Waiting {
  readonly owner: string;
  readonly device: string;
  readonly address: VirtualAddress;
  /** Frames of one kind that share an interface, or a group of them. */
  readonly channel: string;
  readonly spacingMs: number;
}

/** One for all virtual routers of a process. */
export class AnnouncementSchedule {
  #groups: readonly AnnouncementGroup[] = [];
  #waiting: Waiting[] = [];
  /** When the next frame of a kind may leave on an interface. */
  readonly #freeAt = new Map<string, number>();

  configure(groups: readonly AnnouncementGroup[]): void {
    this.#groups = groups;
  }

  /** `repeat` rounds over `addresses`, for the router named `owner`; `device` where an address names none, and `physical` the interface below it. A burst on top of too many that wait is dropped. */
  add(
    owner: string,
    device: string,
    addresses: readonly VirtualAddress[],
    repeat: number,
    spacing: AnnouncementSpacing,
    physical: string = device,
  ): void {
    if (this.#waiting.length >= announcementsWaitingMax) return;
    for (let round = 0; round < repeat; round++) {
      for (const address of addresses) {
        const on = address.device ?? physical;
        const group = this.#groups.find(({ interfaces }) => interfaces.includes(on));
        const spacingMs =
          address.family === 'ipv4'
            ? (group?.garpIntervalMs ?? spacing.intervalMs)
            : (group?.naIntervalMs ?? spacing.naIntervalMs);
        const channel = `${address.family} ${group === undefined ? on : group.interfaces.join(' ')}`;
        this.#waiting.push({ owner, device: address.device ?? device, address, channel, spacingMs });
      }
    }
  }

  /** The router gave its addresses up: what waits for it is dropped. */
  cancel(owner: string): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.owner !== owner);
  }

  /** Routers go on under other names, by their old ones. */
  rename(names: ReadonlyMap<string, string>): void {
    this.#waiting = this.#waiting.map((waiting) => ({ ...waiting, owner: names.get(waiting.owner) ?? waiting.owner }));
  }

  /** The next frame that may leave now, or undefined. */
  poll(now: number): { readonly owner: string; readonly device: string; readonly address: VirtualAddress } | undefined {
    const index = this.#waiting.findIndex((waiting) => this.#dueAt(waiting) <= now);
    if (index === -1) return undefined;
    const [due] = this.#waiting.splice(index, 1);
    if (due!.spacingMs > 0) this.#freeAt.set(due!.channel, now + due!.spacingMs);
    return due;
  }

  deadline(): number | undefined {
    let earliest = Infinity;
    for (const waiting of this.#waiting) earliest = Math.min(earliest, this.#dueAt(waiting));
    return earliest === Infinity ? undefined : earliest;
  }

  #dueAt(waiting: Waiting): number {
    return this.#freeAt.get(waiting.channel) ?? 0;
  }
}
