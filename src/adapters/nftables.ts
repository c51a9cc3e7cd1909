/** The Firewall port on nf_tables: tables are made for the first address of a family and go with `close`. */
import type { IpFamily } from '../core/address.ts';
import type { BlockedAddress, Firewall, SharedLink } from '../engine/ports/firewall.ts';
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import { addressToBytes } from './address-bytes.ts';
import { deleteTableMessage, elementMessage, tableMessages } from './nftables-accept.ts';
import type { TableSettings } from './nftables-message.ts';
import { silencedTable, silenceMessages } from './nftables-silence.ts';
import { NftablesSocket } from './nftables-socket.ts';

export class NftablesFirewall implements Firewall {
  readonly #settings: TableSettings;
  readonly #tables = new Set<IpFamily>();
  /** Interface numbers of macvlans. */
  readonly #silenced = new Set<number>();
  readonly #socket = new NftablesSocket();

  constructor(settings: TableSettings) {
    this.#settings = settings;
  }

  block(address: BlockedAddress): SystemFailure {
    const made = this.#tables.has(address.family) ? undefined : this.#makeTable(address.family);
    return made ?? this.#change('add', address);
  }

  unblock(address: BlockedAddress): SystemFailure {
    if (!this.#tables.has(address.family)) return undefined;
    const failure = this.#change('remove', address);
    return failure === 'ENOENT' ? undefined : failure;
  }

  silence(link: SharedLink): SystemFailure {
    this.unsilence(link);
    const failure = this.#socket.commit(silenceMessages(link, this.#settings));
    if (failure === undefined) this.#silenced.add(link.interfaceIndex);
    return failure;
  }

  unsilence(link: SharedLink): SystemFailure {
    if (!this.#silenced.delete(link.interfaceIndex)) return undefined;
    return this.#socket.commit([silencedTable(link, this.#settings).deleteTable()]);
  }

  close(): void {
    this.#silenced.clear();
    for (const family of this.#tables) this.#socket.commit([deleteTableMessage(family, this.#settings)]);
    this.#tables.clear();
    this.#socket.close();
  }

  #makeTable(family: IpFamily): SystemFailure {
    const make = (owned: boolean) => this.#socket.commit(tableMessages(family, this.#settings, owned));
    // Owned, it goes with the daemon however that ends: else an address would stay blocked on a host that takes it later. Linux 5.12.
    const failure = make(true) === undefined ? undefined : make(false);
    if (failure === undefined) this.#tables.add(family);
    return failure;
  }

  #change(kind: 'add' | 'remove', { family, address, interfaceIndex }: BlockedAddress): SystemFailure {
    const bytes = addressToBytes(family, address);
    if (bytes === undefined) return 'EINVAL';
    const linkLocal = family === 'ipv6' && bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
    return this.#socket.commit([
      elementMessage(kind, family, bytes, linkLocal ? interfaceIndex : undefined, this.#settings),
    ]);
  }
}
