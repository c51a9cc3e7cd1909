/** Which addresses are taken, and which are free in a subnet. Pure. */
import { formatIp, ipBytes, parsePrefix } from '../core/address.ts';
import type { VirtualRouterSettings } from '../core/vrrp/settings.ts';

export class AddressBook {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  take(address: string): void {
    this.#taken.add(address);
  }

  /** Everything that a virtual router names. */
  takeAll({ addresses, excludedAddresses, transport }: VirtualRouterSettings): void {
    for (const { address } of [...addresses, ...excludedAddresses]) this.take(address);
    if (transport.source !== undefined) this.take(transport.source);
    if (transport.kind === 'unicast') for (const { address } of transport.peers) this.take(address);
  }

  /**
   * The first free address of the subnet (`10.42.0.0/24`) whose last byte is `from` or more; then from the start. Takes it.
   * Throws RangeError when none is left.
   */
  free(subnet: string, from: number): string {
    const { network, prefix } = parsePrefix(subnet) ?? { network: '10.42.0.0', prefix: 24 };
    const bytes = ipBytes(network)!;
    const size = Math.min(254, 2 ** Math.min(8, bytes.length * 8 - prefix) - 2);
    for (let i = 0; i < size; i++) {
      const candidate = bytes.slice();
      candidate[candidate.length - 1]! += ((from - 1 + i) % size) + 1;
      const address = formatIp(candidate);
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    throw new RangeError(`no address is left in ${subnet}`);
  }
}

/** The subnet that hosts beside this address are in: its own prefix, or a /24 (/64) where it stands for one host alone. */
export function subnetOf({ address, prefix }: { readonly address: string; readonly prefix?: number }): string {
  const bits = address.includes(':') ? 128 : 32;
  const usual = bits === 32 ? 24 : 64;
  const length = prefix === undefined || prefix > bits - 2 ? usual : prefix;
  const parsed = parsePrefix(`${address}/${length}`);
  return parsed === undefined ? '10.42.0.0/24' : `${parsed.network}/${parsed.prefix}`;
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
