/**
 * Addresses that this daemon removed a moment ago. The kernel tells of that later, and by then another virtual router may have the address:
 * after a reload that moved it, it would be taken for one that an operator removed.
 */
import type { AddressRequest, LinkAddress } from '../ports/links.ts';

/** The kernel has told of it long before, unless its message was lost: then the next removal is somebody else's. */
const toldWithinMs = 1_000;

type Place = Pick<LinkAddress, 'interfaceIndex' | 'address' | 'prefix'>;

export class OwnRemovals {
  readonly #until = new Map<string, number[]>();

  removed(request: AddressRequest, now: number): void {
    const key = keyOf(request);
    this.#until.set(key, [...this.#still(key, now), now + toldWithinMs]);
  }

  /** The kernel says that it is gone. @returns whether that was asked for here; once for each time. */
  take(address: LinkAddress, now: number): boolean {
    const key = keyOf(address);
    const [own, ...left] = this.#still(key, now);
    if (left.length > 0) this.#until.set(key, left);
    else this.#until.delete(key);
    return own !== undefined;
  }

  #still(key: string, now: number): readonly number[] {
    return (this.#until.get(key) ?? []).filter((until) => until >= now);
  }
}

function keyOf({ interfaceIndex, address, prefix }: Place): string {
  return `${interfaceIndex} ${address}/${prefix}`;
}
