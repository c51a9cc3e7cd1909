/** The socket that changes of nf_tables go through: opened with the first, and with it go the tables that it owns. */
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import type { NetlinkMessage } from './netlink-message.ts';
import { NetlinkRequester } from './netlink-socket.ts';
import { transaction } from './nftables-message.ts';

const NETLINK_NETFILTER = 12;

export class NftablesSocket {
  #requester: NetlinkRequester | undefined;

  /** All of them, or none. */
  commit(changes: readonly NetlinkMessage[]): SystemFailure {
    try {
      this.#requester ??= new NetlinkRequester(NETLINK_NETFILTER);
    } catch (error) {
      // A kernel without nfnetlink has no such socket.
      return (error as Error).message;
    }
    return this.#requester.changeAll(transaction(changes));
  }

  close(): void {
    this.#requester?.close();
    this.#requester = undefined;
  }
}
