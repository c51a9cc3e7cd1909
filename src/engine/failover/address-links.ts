/** The macvlans of a router's single addresses (`use_vmac_addr`), above the interfaces that hold them. */
import type { AddressVmacPlan } from '../../plan/vrrp.ts';
import type { Firewall } from '../ports/firewall.ts';
import type { Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import { VirtualLink } from './virtual-link.ts';

export interface AddressLinksWorld {
  readonly links: Links;
  readonly journal: Journal;
  readonly firewall?: Firewall;
  isVirtual(address: string): boolean;
}

export class AddressLinks {
  readonly #world: AddressLinksWorld;
  readonly #router: () => string;
  readonly #made = new Map<string, VirtualLink>();

  constructor(world: AddressLinksWorld, router: () => string) {
    this.#world = world;
    this.#router = router;
  }

  /** Makes those whose interfaces are up, and removes those that are no longer wanted. */
  set(wanted: readonly AddressVmacPlan[]): void {
    const { links, journal, firewall } = this.#world;
    for (const [name, made] of this.#made)
      if (!wanted.some((each) => each.name === name)) {
        made.remove();
        this.#made.delete(name);
      }
    for (const wish of wanted) {
      const base = links.link(wish.interface);
      if (base === undefined || !base.up) continue;
      const made = this.#made.get(wish.name) ?? new VirtualLink(links, journal, firewall, this.#router);
      this.#made.set(wish.name, made);
      made.over(base, wish, this.#linkLocal(base.index));
    }
  }

  close(): void {
    this.set([]);
  }

  #linkLocal(interfaceIndex: number): string | undefined {
    return this.#world.links
      .addresses()
      .find(
        (each) =>
          each.interfaceIndex === interfaceIndex &&
          /^fe[89ab]/i.test(each.address) &&
          !this.#world.isVirtual(each.address),
      )?.address;
  }
}
