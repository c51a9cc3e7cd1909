import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

/** An address whose traffic the host drops, though it stands on an interface (`no_accept`). */
export interface BlockedAddress {
  readonly family: IpFamily;
  readonly address: string;
  /** Where a link-local address stands; others are blocked everywhere. */
  readonly interfaceIndex: number;
}

/** A macvlan with a hardware address that it shares with those of other hosts, and the interface below it. */
export interface SharedLink {
  readonly family: IpFamily;
  readonly interfaceIndex: number;
  readonly baseIndex: number;
}

/** Drops what is sent to an address, and what this host would send from it; questions for its hardware address go through. */
export interface Firewall {
  block(address: BlockedAddress): SystemFailure;
  /** Success too where it was not blocked. */
  unblock(address: BlockedAddress): SystemFailure;
  /**
   * What this host's kernel says by itself on the macvlan would make switches believe that the shared hardware address is here. Reports about
   * multicast groups leave by the interface below instead, questions for routers not at all.
   */
  silence(link: SharedLink): SystemFailure;
  /** Success too where it was not silenced. */
  unsilence(link: SharedLink): SystemFailure;
  /** Takes away everything that `block` and `silence` made. */
  close(): void;
}
