/**
 * `garp_extra_if`: addresses on other interfaces than the router's own are announced periodically, so that switches there keep their
 * entries: advertisements refresh those of the own interface only.
 */
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';

export class ExtraAnnouncements {
  #dueAt = Infinity;

  /** When the next round is due; Infinity = none. */
  get deadline(): number {
    return this.#dueAt;
  }

  start({ garp }: VirtualRouterSettings, now: number): void {
    this.#dueAt = garp.extraInterfaces === undefined ? Infinity : now + garp.extraInterfaces.intervalMs;
  }

  stop(): void {
    this.#dueAt = Infinity;
  }

  /**
   * The addresses to announce now; those on the own interface have their refresh words. Without `all` only those on interfaces with a
   * virtual MAC address (RFC 9568 §7.3).
   */
  due(settings: VirtualRouterSettings, now: number, hardwareAddress: (device: string) => Uint8Array | undefined) {
    if (now < this.#dueAt) return [];
    this.start(settings, now);
    return [...settings.addresses, ...settings.excludedAddresses].filter(
      ({ device, onVmac }) =>
        device !== undefined &&
        device !== settings.interface &&
        (settings.garp.extraInterfaces?.all === true || onVmac === true || isVirtual(hardwareAddress(device))),
    );
  }
}

function isVirtual(address: Uint8Array | undefined): boolean {
  return address !== undefined && [0x00, 0x00, 0x5e, 0x00].every((octet, index) => address[index] === octet);
}
