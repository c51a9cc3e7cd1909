/**
 * The Handoff port on nf_tables and the loopback interface.
 *
 * The new holder passes on: in prerouting, a segment to one of the addresses whose connection did not begin here since goes to the old
 * holder instead of being answered with a reset (RFC 9293 §3.10.7.1). A connection begins here with a SYN from outside, or with one of
 * ours. The old holder keeps: the addresses move to the loopback interface, where its sockets still have them, and for IPv4, which
 * would answer for them from there all the same (RFC 1122 §3.3.4.2's weak host), an arp table stays silent and asks with its own address.
 *
 * Every table is owned by the socket that made it: a daemon that dies leaves nothing behind.
 */
import type { IpFamily } from '../core/address.ts';
import { handoff as limits } from '../core/limits.ts';
import type { Handoff, HandoffAddresses, OldHolder } from '../engine/ports/handoff.ts';
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import { addressToBytes } from './address-bytes.ts';
import type { NetlinkMessage } from './netlink-message.ts';
import {
  compare,
  duplicate,
  type Expression,
  hook,
  insert,
  interfaceNumber,
  keyType,
  load,
  lookup,
  mask,
  narrowRegisters,
  payload,
  protocolMeta,
  setFlag,
  TableBuilder,
  type TableFamily,
  writePayload,
} from './nftables-message.ts';
import { NftablesSocket } from './nftables-socket.ts';
import { connectionsAt, type TcpConnection } from './tcp-connections.ts';

/** Before everything that others may have put there, connection tracking included (NF_IP_PRI_RAW is -300). */
const priority = -310;
const TCP = Uint8Array.of(6);
/** The flags octet: FIN, SYN, RST, ACK count; alone a SYN begins a connection. */
const flagsOffset = 13;
const beginFlags = Uint8Array.of(0x17);
const syn = Uint8Array.of(0x02);

const elementsPerMessage = 32;
const addressBytes = { ipv4: 4, ipv6: 16 } as const;
const addressOffset = { source: { ipv4: 12, ipv6: 8 }, destination: { ipv4: 16, ipv6: 24 } } as const;
/** ARP for IPv4 over Ethernet (RFC 826): eight octets, then hardware and protocol address of sender and target. */
const arpOffset = { sender: 14, target: 24 } as const;

export class NftablesHandoff implements Handoff {
  /** What stands, by the router's name. */
  readonly #tables = new Map<string, { readonly family: TableFamily; readonly table: string }>();
  /** What was open when the addresses left last and is so still, by the router's name. */
  readonly #left = new Map<string, LeftBehind>();
  readonly #socket = new NftablesSocket();

  passOn(router: string, { family, addresses }: HandoffAddresses, holder: OldHolder): SystemFailure {
    const to = addressToBytes(family, holder.address);
    const keys = addressKeys(family, addresses);
    if (to === undefined || keys === undefined) return 'EINVAL';
    const open = this.#left.get(router)?.open ?? [];
    this.#left.delete(router);
    return this.#make(router, family, (build) => [
      ...passOnMessages(build, family, keys, to, holder.interfaceIndex),
      ...chunks(open.map(connectionKey)).map((some) => build.add('begun_here', some)),
    ]);
  }

  keep(router: string, { family, addresses }: HandoffAddresses, ownAddress: string, forGood: boolean): SystemFailure {
    const own = addressToBytes(family, ownAddress);
    const keys = addressKeys(family, addresses);
    if (own === undefined || keys === undefined) return 'EINVAL';
    if (family === 'ipv6') this.#drop(router);
    else {
      const failure = this.#make(router, 'arp', (build) => silenceMessages(build, keys, own));
      if (failure !== undefined) return failure;
    }
    // Should the addresses come back, what is open now belongs here; until then nothing new can begin here.
    this.#left.delete(router);
    if (forGood) return undefined;
    const left: LeftBehind = { family, keys, open: [] };
    this.#left.set(router, left);
    void note(left);
    return undefined;
  }

  end(router: string): void {
    this.#drop(router);
    // Ports are used again: what has ended by now must not be taken for one of those that are still open.
    const left = this.#left.get(router);
    if (left !== undefined) void note(left);
  }

  #drop(router: string): void {
    const made = this.#tables.get(router);
    if (made === undefined) return;
    this.#tables.delete(router);
    this.#socket.commit([builder(made.family, made.table).deleteTable()]);
  }

  close(): void {
    for (const router of [...this.#tables.keys()]) this.#drop(router);
    this.#socket.close();
  }

  #make(router: string, family: TableFamily, messages: (build: TableBuilder) => NetlinkMessage[]): SystemFailure {
    this.#drop(router);
    // Names that differ have tables that differ, whatever they are made of.
    const table = `evergate_${router.replace(/[^A-Za-z0-9]/g, (other) => `_${other.codePointAt(0)!.toString(16)}_`)}`;
    const failure = this.#socket.commit(messages(builder(family, table)));
    if (failure === undefined) this.#tables.set(router, { family, table });
    return failure;
  }
}

/** Where a router's addresses were, and the connections to them. */
interface LeftBehind {
  readonly family: IpFamily;
  readonly keys: readonly Uint8Array[];
  open: readonly TcpConnection[];
}

async function note(left: LeftBehind): Promise<void> {
  left.open = (await connectionsAt(left.family, left.keys)).slice(0, limits.openConnectionsMax);
}

function builder(family: TableFamily, table: string): TableBuilder {
  return new TableBuilder(family, { table, priority, counters: true });
}

function passOnMessages(
  build: TableBuilder,
  family: IpFamily,
  keys: readonly Uint8Array[],
  holder: Uint8Array,
  interfaceIndex: number,
): NetlinkMessage[] {
  const at = { source: addressOffset.source[family], destination: addressOffset.destination[family] };
  const length = addressBytes[family];
  const oneOfThem = (offset: number) => [protocolMeta(), compare(TCP), payload(1, offset, length), lookup('addresses')];
  const begins = [payload(2, flagsOffset, 1), mask(beginFlags), compare(syn)];
  const inward = connection(family, at.source, at.destination, 0, 2);
  const outward = connection(family, at.destination, at.source, 2, 0);
  const hostRegister = narrowRegisters;
  const interfaceRegister = narrowRegisters + length / 4;
  const address = keyType[family];
  return [
    ...build.newTable(true),
    build.set('addresses', address, length, 1),
    build.add('addresses', keys),
    build.set(
      'begun_here',
      (((((address << 6) | address) << 6) | keyType.port) << 6) | keyType.port,
      2 * length + 8,
      2,
      setFlag.dynamic,
      limits.connectionsMax,
    ),
    build.chain('segments'),
    build.baseChain('in', hook.prerouting),
    build.baseChain('out', hook.output),
    build.rule('out', [...oneOfThem(at.source), ...begins, ...outward, insert('begun_here', narrowRegisters)]),
    build.rule('in', [...oneOfThem(at.destination), ...build.goTo('segments')]),
    build.rule('segments', [...begins, ...inward, insert('begun_here', narrowRegisters)]),
    build.rule('segments', [...inward, lookup('begun_here', narrowRegisters), ...build.end('accept')]),
    build.rule('segments', [
      load(holder, hostRegister),
      load(interfaceNumber(interfaceIndex), interfaceRegister),
      duplicate(hostRegister, interfaceRegister),
      ...build.end('drop'),
    ]),
  ];
}

/** The four that name a connection (RFC 9293 §3.3.1), the other host's address first, one behind the other from the first narrow register. */
function connection(family: IpFamily, other: number, own: number, otherPort: number, ownPort: number): Expression[] {
  const length = addressBytes[family];
  const ports = narrowRegisters + length / 2;
  return [
    payload(1, other, length, narrowRegisters),
    payload(1, own, length, narrowRegisters + length / 4),
    payload(2, otherPort, 2, ports),
    payload(2, ownPort, 2, ports + 1),
  ];
}

/** As `connection` reads it from a segment. A port takes four octets, the first two of them used. */
function connectionKey({ remoteAddress, localAddress, remotePort, localPort }: TcpConnection): Uint8Array {
  const port = (number: number) => [number >> 8, number & 0xff, 0, 0];
  return Uint8Array.of(...remoteAddress, ...localAddress, ...port(remotePort), ...port(localPort));
}

/** As many elements as fit in one message. */
function chunks(keys: readonly Uint8Array[]): Uint8Array[][] {
  const found: Uint8Array[][] = [];
  for (let at = 0; at < keys.length; at += elementsPerMessage) found.push(keys.slice(at, at + elementsPerMessage));
  return found;
}

function silenceMessages(build: TableBuilder, keys: readonly Uint8Array[], own: Uint8Array): NetlinkMessage[] {
  return [
    ...build.newTable(true),
    build.set('addresses', keyType.ipv4, 4, 1),
    build.add('addresses', keys),
    build.baseChain('in', hook.arpInput),
    build.baseChain('out', hook.arpOutput),
    build.rule('in', [payload(1, arpOffset.target, 4), lookup('addresses'), ...build.end('drop')]),
    build.rule('out', [
      payload(1, arpOffset.sender, 4),
      lookup('addresses'),
      load(own, narrowRegisters),
      writePayload(arpOffset.sender, 4, narrowRegisters),
    ]),
  ];
}

function addressKeys(family: IpFamily, addresses: readonly string[]): Uint8Array[] | undefined {
  const keys = addresses.map((address) => addressToBytes(family, address));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}
