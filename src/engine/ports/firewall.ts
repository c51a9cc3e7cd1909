import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

/** An address whose traffic the host drops, though it stands on an interface (`no_accept`). */
export interface BlockedAddress {
  readonly family: IpFamily;
  readonly address: string;
  /** Where a link-local address stands; others are blocked everywhere. */
  readonly interfaceIndex: number;
}

/** Drops what is sent to an address, and what this host would send from it; questions for its hardware address go through. */
export interface Firewall {
  block(address: BlockedAddress): SystemFailure;
  /** Success too where it was not blocked. */
  unblock(address: BlockedAddress): SystemFailure;
  /** Takes away everything that `block` made. */
  close(): void;
}
