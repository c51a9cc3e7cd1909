import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

/** Virtual addresses of one family, as text. */
export interface HandoffAddresses {
  readonly family: IpFamily;
  readonly addresses: readonly string[];
}

/** Who had the addresses before, and where it is reached. */
export interface OldHolder {
  readonly address: string;
  readonly interfaceIndex: number;
}

/** TCP connections that are open while their addresses move to another host. One of the two for each router, until `end`. */
export interface Handoff {
  /**
   * New holder, before it adds the addresses: segments of connections that began before this call go on to the old one, but for those that
   * were open at the last `keep` and are so still.
   */
  passOn(router: string, addresses: HandoffAddresses, holder: OldHolder): SystemFailure;
  /**
   * Old holder, before it moves them to the loopback: nobody learns this host's hardware address for them any more. `forGood`: they don't come
   * back in this life, so that nobody will ask what is open now.
   */
  keep(router: string, addresses: HandoffAddresses, ownAddress: string, forGood: boolean): SystemFailure;
  /** Success too where there is nothing. */
  end(router: string): void;
  close(): void;
}
