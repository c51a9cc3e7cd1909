/**
 * What an active router does for its addresses beside advertising: the bursts of gratuitous ARP and neighbour advertisements (Keepalived's
 * garp_* words), and the defence of what it holds. Lives as long as the router is active.
 */

import { conflictLimits } from '../limits.ts';
import type { VrrpEvent } from './events.ts';
import type { Outbox } from './outbox.ts';
import type { VirtualAddress, VirtualRouterSettings } from './settings.ts';

type AddressEvent = Extract<VrrpEvent, { readonly kind: 'address-lost' | 'address-conflict' }>;

/** RFC 5227 §1.1 DEFEND_INTERVAL: an address conflict is not answered more often. */
const defendIntervalMs = 10_000;

export class Announcing {
  readonly #out: Outbox;
  /** The burst after the first one (garp_master_delay, garp_lower_prio_delay), and the regular refresh. */
  #again: { readonly at: number; readonly repeat: number } | undefined;
  #refreshAt: number | undefined;
  #defendedAt = -Infinity;
  #conflictToldAt = -Infinity;

  constructor(out: Outbox, settings: VirtualRouterSettings, now: number) {
    const { garp } = settings;
    this.#out = out;
    out.announce(addressesOf(settings), garp.repeat);
    if (garp.delayMs > 0) this.#again = { at: now + garp.delayMs, repeat: garp.repeat };
    this.#refreshFrom(settings, now);
  }

  deadline(): number {
    return Math.min(this.#again?.at ?? Infinity, this.#refreshAt ?? Infinity);
  }

  timer(settings: VirtualRouterSettings, now: number): void {
    if (this.#again !== undefined && now >= this.#again.at) {
      this.#out.announce(addressesOf(settings), this.#again.repeat);
      this.#again = undefined;
    }
    if (this.#refreshAt !== undefined && now >= this.#refreshAt) {
      this.#out.announce(addressesOf(settings), settings.garp.refreshRepeat);
      this.#refreshFrom(settings, now);
    }
  }

  /** Somebody lower spoke as active: its announcements may have been heard last (garp_lower_prio_repeat, garp_lower_prio_delay). */
  lowerHeard({ garp, ...settings }: VirtualRouterSettings, now: number): void {
    if (garp.lowerPrioRepeat <= 0) return;
    this.#out.announce(addressesOf(settings), garp.lowerPrioRepeat);
    if (garp.lowerPrioDelayMs > 0) this.#again = { at: now + garp.lowerPrioDelayMs, repeat: garp.lowerPrioRepeat };
  }

  reloaded(before: readonly VirtualAddress[], settings: VirtualRouterSettings, now: number): void {
    this.#out.replace(before, addressesOf(settings), settings.garp.repeat);
    this.#refreshFrom(settings, now);
  }

  /** What others do to our addresses. */
  defend(event: AddressEvent, settings: VirtualRouterSettings, now: number): void {
    if (event.kind === 'address-lost') this.#addressLost(event.address, settings);
    else this.#addressConflict(event.address, event.hardwareAddress, settings, now);
  }

  /** Taken off the interface by somebody else: put back and announced. */
  #addressLost(address: string, settings: VirtualRouterSettings): void {
    const lost = addressesOf(settings).filter((ours) => ours.address === address && ours.noTrack !== true);
    if (lost.length === 0) return;
    this.#out.log('warning', settings.name, `address ${address} was removed by someone else, putting it back`);
    this.#out.put({ kind: 'add-addresses', addresses: lost, all: false });
    this.#out.announce(lost, settings.garp.repeat);
  }

  /** Somebody else answers for our address: said, and answered once an interval (RFC 5227 §2.4 (c)). */
  #addressConflict(address: string, hardwareAddress: string, settings: VirtualRouterSettings, now: number): void {
    const ours = addressesOf(settings).filter((own) => own.address === address);
    if (ours.length === 0 || now - this.#defendedAt < defendIntervalMs) return;
    this.#defendedAt = now;
    this.#out.announce(ours, 1);
    if (now - this.#conflictToldAt < conflictLimits.toldAgainMs) return;
    this.#conflictToldAt = now;
    this.#out.log(
      'warning',
      settings.name,
      `address conflict: ${hardwareAddress} answers for ${address}, announcing ours`,
    );
  }

  #refreshFrom({ garp }: VirtualRouterSettings, now: number): void {
    this.#refreshAt = garp.refreshMs > 0 ? now + garp.refreshMs : undefined;
  }
}

/** Everything the router holds while it is active: the advertised addresses, then the excluded ones. */
export function addressesOf(
  settings: Pick<VirtualRouterSettings, 'addresses' | 'excludedAddresses'>,
): readonly VirtualAddress[] {
  return [...settings.addresses, ...settings.excludedAddresses];
}
