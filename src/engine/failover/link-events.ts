/** What the kernel and the network say about interfaces and addresses, as events of the routers that it concerns. */
import type { Link, LinkAddress, LinkWatcher } from '../ports/links.ts';
import type { Packets } from '../ports/packets.ts';
import type { Members } from './members.ts';
import type { StaticHoldings } from './static-holdings.ts';

export interface LinkEventsWorld {
  readonly packets: Packets;
  readonly members: Members;
  readonly statics: StaticHoldings;
  /** A tracked interface may have changed. */
  tracking(): void;
  /** A router was told something. */
  told(): void;
}

export class LinkEvents implements LinkWatcher {
  readonly #world: LinkEventsWorld;

  constructor(world: LinkEventsWorld) {
    this.#world = world;
  }

  linkChanged(link: Link): void {
    this.#world.statics.linkChanged(link);
    for (const { driver } of this.#world.members.all) driver.linkChanged();
    this.#world.tracking();
  }

  linkRemoved(link: Link): void {
    this.linkChanged({ ...link, up: false });
  }

  addressAdded(address: LinkAddress): void {
    this.#world.statics.addressAdded();
    for (const { driver } of this.#world.members.all) if (!driver.holdings.isHeld(address)) driver.linkChanged();
    this.#world.tracking();
  }

  addressRemoved(address: LinkAddress, own = false): void {
    const { members, statics } = this.#world;
    for (const member of own ? [] : members.all)
      if (member.driver.holdings.isHeld(address)) {
        members.give(member, { kind: 'address-lost', address: address.address });
        this.#world.told();
      }
    statics.addressRemoved(address);
    this.addressAdded(address);
  }

  routeRemoved(words: readonly string[]): void {
    for (const { driver } of this.#world.members.all) driver.routeRemoved(words);
    this.#world.statics.routeRemoved(words);
    this.#world.tracking();
  }

  ruleRemoved(words: readonly string[]): void {
    for (const { driver } of this.#world.members.all) driver.ruleRemoved(words);
    this.#world.statics.ruleRemoved(words);
    this.#world.tracking();
  }

  /** Somebody else answers for an address of that router. @returns false when it is not, or no longer, ours to defend. */
  addressClaimed(router: string, address: string, hardwareAddress: string): boolean {
    const { packets, members } = this.#world;
    // The new active router announces right behind its advertisement: that one must have been heard first.
    packets.receiveWaiting();
    const member = members.named(router);
    if (member?.driver.machine.stateKind !== 'active') return false;
    members.give(member, { kind: 'address-conflict', address, hardwareAddress });
    this.#world.told();
    return true;
  }
}
