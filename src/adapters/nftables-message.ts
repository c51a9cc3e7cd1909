/**
 * What `no_accept` asks of nf_tables, as netlink messages: Keepalived's table, so that `nft list ruleset` shows what operators know.
 *
 * A transaction is a batch of messages in one datagram (nfnetlink): begin, changes, end; all of it happens, or nothing. Numbers in
 * attributes are in network byte order. Constants are those of linux/netfilter/nf_tables.h.
 */
import type { IpFamily } from '../core/address.ts';
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

const protocolFamily = { ipv4: 2, ipv6: 10 } as const;
const hook = { in: 1, out: 3 } as const;
/** What `nft` writes for a set's key: its own numbers of types, six bits each in a concatenation. */
const keyType = { ipv4: 7, ipv6: 8, icmpv6Type: 29, interfaceIndex: 20 } as const;
const CONSTANT_SET = 2;
const verdict = { drop: 0, accept: 1, goto: -4 } as const;
const META_IIF = 4;
const META_OIF = 5;
const neighbourSolicitation = 135;
const neighbourAdvertisement = 136;

export interface TableSettings {
  readonly table: string;
  readonly priority: number;
  readonly counters: boolean;
}

/** Begin, the changes, end; each is numbered by the caller. */
export function transaction(changes: readonly NetlinkMessage[]): NetlinkMessage[] {
  return [boundary(batchBegin), ...changes, boundary(batchEnd)];
}

/** The table of a family, new and empty, whatever stood there under its name before. */
export function tableMessages(family: IpFamily, settings: TableSettings): NetlinkMessage[] {
  const { table } = settings;
  const build = new Build(family, settings);
  return [
    build.change(NFT.newTable, messageFlag.create).text(1, table),
    build.change(NFT.deleteTable, 0).text(1, table),
    build.change(NFT.newTable, messageFlag.create).text(1, table),
    build.baseChain('out'),
    build.baseChain('in'),
    ...(family === 'ipv4' ? ipv4Rules(build) : ipv6Rules(build)),
  ];
}

export function deleteTableMessage(family: IpFamily, settings: TableSettings): NetlinkMessage {
  return new Build(family, settings).change(NFT.deleteTable, 0).text(1, settings.table);
}

/** @param interfaceIndex of a link-local address, which means something on its interface only; else undefined. */
export function elementMessage(
  kind: 'add' | 'remove',
  family: IpFamily,
  address: Uint8Array,
  interfaceIndex: number | undefined,
  settings: TableSettings,
): NetlinkMessage {
  const key = interfaceIndex === undefined ? address : Uint8Array.of(...address, ...hostOrder(interfaceIndex));
  const build = new Build(family, settings);
  const message =
    kind === 'add' ? build.change(NFT.newElement, messageFlag.create) : build.change(NFT.deleteElement, 0);
  return elements(message.text(1, settings.table).text(2, interfaceIndex === undefined ? 'vips' : 'vips_link_local'), [
    key,
  ]);
}

function ipv4Rules(build: Build): NetlinkMessage[] {
  return [
    build.set('vips', keyType.ipv4, 4, 1),
    build.rule('in', [payload(1, 16, 4), lookup('vips'), ...build.end('drop')]),
    build.rule('out', [payload(1, 12, 4), lookup('vips'), ...build.end('drop')]),
  ];
}

/** Neighbours must be able to ask for the address all the same. */
function ipv6Rules(build: Build): NetlinkMessage[] {
  const discovery = (chain: string) =>
    build.rule(chain, [
      payload(1, 6, 1),
      compare(Uint8Array.of(58)),
      payload(2, 0, 1),
      lookup('neighbor-discovery'),
      ...build.end('accept'),
    ]);
  const dropped = (chain: string, at: number) => [
    discovery(chain),
    build.rule(chain, [
      payload(1, at, 16),
      linkLocalMask(),
      compare(linkLocal(0xfe, 0x80)),
      ...build.goTo(`${chain}_link_local`),
    ]),
    build.rule(chain, [payload(1, at, 16), lookup('vips'), ...build.end('drop')]),
  ];
  const linkLocalDropped = (chain: string, at: number, interfaceKey: number) =>
    build.rule(chain, [payload(1, at, 16), meta(interfaceKey), lookup('vips_link_local'), ...build.end('drop')]);
  return [
    build.chain('in_link_local'),
    build.chain('out_link_local'),
    build.set('vips', keyType.ipv6, 16, 1),
    build.set('neighbor-discovery', keyType.icmpv6Type, 1, 2, CONSTANT_SET),
    elements(build.change(NFT.newElement, messageFlag.create).text(1, build.table).text(2, 'neighbor-discovery'), [
      Uint8Array.of(neighbourSolicitation),
      Uint8Array.of(neighbourAdvertisement),
    ]),
    build.set('vips_link_local', (keyType.ipv6 << 6) | keyType.interfaceIndex, 20, 3),
    ...dropped('in', 24),
    ...dropped('out', 8),
    linkLocalDropped('in_link_local', 24, META_IIF),
    linkLocalDropped('out_link_local', 8, META_OIF),
  ];
}

/** An expression of a rule: its name and its attributes. */
type Expression = (message: NetlinkMessage) => void;

class Build {
  readonly table: string;
  readonly #family: IpFamily;
  readonly #settings: TableSettings;

  constructor(family: IpFamily, settings: TableSettings) {
    this.#family = family;
    this.#settings = settings;
    this.table = settings.table;
  }

  change(type: number, flags: number): NetlinkMessage {
    const body = Uint8Array.of(protocolFamily[this.#family], 0, 0, 0);
    return new NetlinkMessage((NFNL_SUBSYS_NFTABLES << 8) | type, changeFlags | flags, body);
  }

  chain(name: string): NetlinkMessage {
    return this.change(NFT.newChain, messageFlag.create).text(1, this.table).text(3, name);
  }

  baseChain(name: 'in' | 'out'): NetlinkMessage {
    return this.chain(name)
      .nest(4 | nested, (inside) => inside.bytes(1, number(hook[name])).bytes(2, number(this.#settings.priority)))
      .bytes(5, number(verdict.accept))
      .text(7, 'filter');
  }

  set(name: string, type: number, bytes: number, id: number, flags = 0): NetlinkMessage {
    return this.change(NFT.newSet, messageFlag.create)
      .text(1, this.table)
      .text(2, name)
      .bytes(3, number(flags))
      .bytes(4, number(type))
      .bytes(5, number(bytes))
      .bytes(10, number(id));
  }

  rule(chain: string, expressions: readonly Expression[]): NetlinkMessage {
    return this.change(NFT.newRule, messageFlag.create | messageFlag.append)
      .text(1, this.table)
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

  #counted(last: Expression): Expression[] {
    return this.#settings.counters ? [expression('counter', () => {}), last] : [last];
  }
}

function boundary(type: number): NetlinkMessage {
  return new NetlinkMessage(type, messageFlag.request, Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES));
}

function elements(message: NetlinkMessage, keys: readonly Uint8Array[]): NetlinkMessage {
  return message.nest(3 | nested, (list) => {
    for (const key of keys)
      list.nest(listElement | nested, (element) => element.nest(1 | nested, (data) => data.bytes(1, key)));
  });
}

function expression(name: string, attributes: (message: NetlinkMessage) => void): Expression {
  return (message) => message.text(1, name).nest(2 | nested, attributes);
}

/** Into register 1. @param base 1 is the network header, 2 what it carries. */
function payload(base: 1 | 2, offset: number, length: number): Expression {
  return expression('payload', (inside) =>
    inside.bytes(1, number(1)).bytes(2, number(base)).bytes(3, number(offset)).bytes(4, number(length)),
  );
}

/** Into register 2, behind the 16 bytes of register 1. */
function meta(key: number): Expression {
  return expression('meta', (inside) => inside.bytes(1, number(2)).bytes(2, number(key)));
}

function lookup(set: string): Expression {
  return expression('lookup', (inside) => inside.text(1, set).bytes(2, number(1)));
}

function compare(value: Uint8Array): Expression {
  return expression('cmp', (inside) =>
    inside
      .bytes(1, number(1))
      .bytes(2, number(0))
      .nest(3 | nested, (data) => data.bytes(1, value)),
  );
}

/** fe80::/10 */
function linkLocalMask(): Expression {
  return expression('bitwise', (inside) =>
    inside
      .bytes(1, number(1))
      .bytes(2, number(1))
      .bytes(3, number(16))
      .nest(4 | nested, (data) => data.bytes(1, linkLocal(0xff, 0xc0)))
      .nest(5 | nested, (data) => data.bytes(1, new Uint8Array(16))),
  );
}

function linkLocal(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = first;
  bytes[1] = second;
  return bytes;
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
function hostOrder(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
