/**
 * nf_tables as netlink messages: tables, chains, sets, rules and the expressions that rules are made of.
 *
 * A transaction is a batch of messages in one datagram (nfnetlink): begin, changes, end; all of it happens, or nothing. Numbers in
 * attributes are in network byte order. Constants are those of linux/netfilter/nf_tables.h.
 */
import { messageFlag, NetlinkMessage } from './netlink-message.ts';
import { changeFlags } from './netlink-socket.ts';

const NFNL_SUBSYS_NFTABLES = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;
const NFT = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  newRule: 6,
  newSet: 9,
  newElement: 12,
  deleteElement: 14,
} as const;
const nested = 0x8000;
const listElement = 1;

/** Families of tables (NFPROTO_*). */
const tableFamily = { ipv4: 2, arp: 3, ipv6: 10 } as const;
export type TableFamily = keyof typeof tableFamily;
/** Where a base chain stands; those of the arp family are its own two (NF_ARP_IN, NF_ARP_OUT). */
export const hook = { prerouting: 0, input: 1, output: 3, arpInput: 0, arpOutput: 1 } as const;
/** What `nft` writes for a set's key: its own numbers of types, six bits each in a concatenation. */
export const keyType = { ipv4: 7, ipv6: 8, port: 13, icmpv6Type: 29, interfaceIndex: 20 } as const;
export const setFlag = { constant: 2, dynamic: 0x20 } as const;
/** The table goes with the socket that made it, however its process ends (NFT_TABLE_F_OWNER, Linux 5.12). */
const OWNER = 2;
const verdict = { drop: 0, accept: 1, goto: -4 } as const;
const META_IIF = 4;
const META_OIF = 5;
const META_L4PROTO = 16;

export interface TableSettings {
  readonly table: string;
  readonly priority: number;
  readonly counters: boolean;
}

/** Begin, the changes, end; each is numbered by the caller. */
export function transaction(changes: readonly NetlinkMessage[]): NetlinkMessage[] {
  return [boundary(batchBegin), ...changes, boundary(batchEnd)];
}

/** An expression of a rule: its name and its attributes. */
export type Expression = (message: NetlinkMessage) => void;

export class TableBuilder {
  readonly #family: TableFamily;
  readonly #settings: TableSettings;

  constructor(family: TableFamily, settings: TableSettings) {
    this.#family = family;
    this.#settings = settings;
  }

  /** A new and empty table, whatever stood there under its name before. `owned`: it goes with the socket that makes it. */
  newTable(owned = false): NetlinkMessage[] {
    const made = () => this.#change(NFT.newTable, messageFlag.create).text(1, this.#settings.table);
    const last = owned ? made().bytes(2, number(OWNER)) : made();
    return [made(), this.deleteTable(), last];
  }

  deleteTable(): NetlinkMessage {
    return this.#change(NFT.deleteTable, 0).text(1, this.#settings.table);
  }

  chain(name: string): NetlinkMessage {
    return this.#change(NFT.newChain, messageFlag.create).text(1, this.#settings.table).text(3, name);
  }

  baseChain(name: string, at: number): NetlinkMessage {
    return this.chain(name)
      .nest(4 | nested, (inside) => inside.bytes(1, number(at)).bytes(2, number(this.#settings.priority)))
      .bytes(5, number(verdict.accept))
      .text(7, 'filter');
  }

  /** @param id its number within the transaction. @param sizeMax 0: as many elements as come. */
  set(name: string, type: number, bytes: number, id: number, flags = 0, sizeMax = 0): NetlinkMessage {
    const set = this.#change(NFT.newSet, messageFlag.create)
      .text(1, this.#settings.table)
      .text(2, name)
      .bytes(3, number(flags))
      .bytes(4, number(type))
      .bytes(5, number(bytes))
      .bytes(10, number(id));
    return sizeMax === 0 ? set : set.nest(9 | nested, (inside) => inside.bytes(1, number(sizeMax)));
  }

  add(set: string, keys: readonly Uint8Array[]): NetlinkMessage {
    return this.#elements(NFT.newElement, messageFlag.create, set, keys);
  }

  remove(set: string, keys: readonly Uint8Array[]): NetlinkMessage {
    return this.#elements(NFT.deleteElement, 0, set, keys);
  }

  rule(chain: string, expressions: readonly Expression[]): NetlinkMessage {
    return this.#change(NFT.newRule, messageFlag.create | messageFlag.append)
      .text(1, this.#settings.table)
      .text(2, chain)
      .nest(4 | nested, (inside) => {
        for (const each of expressions) inside.nest(listElement | nested, each);
      });
  }

  end(what: 'drop' | 'accept'): Expression[] {
    return this.#counted(decide(verdict[what]));
  }

  goTo(chain: string): Expression[] {
    return this.#counted(decide(verdict.goto, chain));
  }

  #change(type: number, flags: number): NetlinkMessage {
    const body = Uint8Array.of(tableFamily[this.#family], 0, 0, 0);
    return new NetlinkMessage((NFNL_SUBSYS_NFTABLES << 8) | type, changeFlags | flags, body);
  }

  #elements(type: number, flags: number, set: string, keys: readonly Uint8Array[]): NetlinkMessage {
    return this.#change(type, flags)
      .text(1, this.#settings.table)
      .text(2, set)
      .nest(3 | nested, (list) => {
        for (const key of keys)
          list.nest(listElement | nested, (element) => element.nest(1 | nested, (data) => data.bytes(1, key)));
      });
  }

  #counted(last: Expression): Expression[] {
    return this.#settings.counters ? [expression('counter', () => {}), last] : [last];
  }
}

function boundary(type: number): NetlinkMessage {
  return new NetlinkMessage(type, messageFlag.request, Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES));
}

// ---------------------------------------------------------------- expressions

/** Registers of 16 bytes, and the first of those of 4 bytes that lie in their place. */
const wide = { first: 1, second: 2 } as const;
export const narrowRegisters = 8;

function expression(name: string, attributes: (message: NetlinkMessage) => void): Expression {
  return (message) => message.text(1, name).nest(2 | nested, attributes);
}

/** @param base 1 is the network header, 2 what it carries. */
export function payload(base: 1 | 2, offset: number, length: number, register: number = wide.first): Expression {
  return expression('payload', (inside) =>
    inside.bytes(1, number(register)).bytes(2, number(base)).bytes(3, number(offset)).bytes(4, number(length)),
  );
}

/** Writes a register into the network header, without a checksum. */
export function writePayload(offset: number, length: number, register: number = wide.first): Expression {
  return expression('payload', (inside) =>
    inside
      .bytes(5, number(register))
      .bytes(2, number(1))
      .bytes(3, number(offset))
      .bytes(4, number(length))
      .bytes(6, number(0)),
  );
}

/** The interface's number, behind the 16 bytes of an address. */
export function interfaceMeta(which: 'in' | 'out', register: number = wide.second): Expression {
  return meta(which === 'in' ? META_IIF : META_OIF, register);
}

/** The number of the interface by which it leaves, alone. */
export function outgoingInterface(): Expression {
  return interfaceMeta('out', wide.first);
}

/** The protocol that the network header carries, past the extension headers of IPv6. */
export function protocolMeta(): Expression {
  return meta(META_L4PROTO, wide.first);
}

function meta(key: number, register: number): Expression {
  return expression('meta', (inside) => inside.bytes(1, number(register)).bytes(2, number(key)));
}

export function lookup(set: string, register: number = wide.first): Expression {
  return expression('lookup', (inside) => inside.text(1, set).bytes(2, number(register)));
}

export function compare(value: Uint8Array): Expression {
  return expression('cmp', (inside) =>
    inside
      .bytes(1, number(wide.first))
      .bytes(2, number(0))
      .nest(3 | nested, (data) => data.bytes(1, value)),
  );
}

export function mask(bits: Uint8Array): Expression {
  return expression('bitwise', (inside) =>
    inside
      .bytes(1, number(wide.first))
      .bytes(2, number(wide.first))
      .bytes(3, number(bits.length))
      .nest(4 | nested, (data) => data.bytes(1, bits))
      .nest(5 | nested, (data) => data.bytes(1, new Uint8Array(bits.length))),
  );
}

export function load(value: Uint8Array, register: number): Expression {
  return expression('immediate', (inside) =>
    inside.bytes(1, number(register)).nest(2 | nested, (data) => data.bytes(1, value)),
  );
}

/** Puts the key that begins at the register into the set, or leaves it there. */
export function insert(set: string, register: number): Expression {
  return expression('dynset', (inside) => inside.text(1, set).bytes(3, number(1)).bytes(4, number(register)));
}

/** Sends a copy to the host and through the interface that the registers name. */
export function duplicate(hostRegister: number, interfaceRegister: number): Expression {
  return expression('dup', (inside) => inside.bytes(1, number(hostRegister)).bytes(2, number(interfaceRegister)));
}

function decide(code: number, chain?: string): Expression {
  return expression('immediate', (inside) =>
    inside.bytes(1, number(0)).nest(2 | nested, (data) =>
      data.nest(2 | nested, (inner) => {
        inner.bytes(1, number(code));
        if (chain !== undefined) inner.text(2, chain);
      }),
    ),
  );
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

/** An interface's number is compared as the kernel keeps it. */
export function interfaceNumber(index: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return bytes;
}
