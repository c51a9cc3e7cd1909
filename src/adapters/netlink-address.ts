/** Addresses and links as rtnetlink messages: what `ip address` and `ip link` send and read. */
import type { AddressRequest, Link, LinkAddress } from '../engine/ports/links.ts';
import { addressToBytes, addressToText, familyNumber } from './address-bytes.ts';
import { linux } from './libc.ts';
import {
  messageFlag,
  messageType,
  NetlinkMessage,
  readAttributes,
  readText,
  readUint32,
  viewOf,
} from './netlink-message.ts';
import { changeFlags, dumpFlags } from './netlink-socket.ts';

const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const IFF_MULTICAST = 0x1000;

const IFLA = { address: 1, name: 3, mtu: 4, link: 5, linkInfo: 18, addressFamilies: 26, group: 27 } as const;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_PRIVATE = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

const IFA = { address: 1, local: 2, label: 3, broadcast: 4, cacheInfo: 6, flags: 8, protocol: 11 } as const;
const IFA_F_NODAD = 0x02;
const IFA_F_HOMEADDRESS = 0x10;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_MANAGETEMPADDR = 0x100;
const IFA_F_NOPREFIXROUTE = 0x200;
const IFA_F_MCAUTOJOIN = 0x400;
const forever = 0xffffffff;

/** ip-address(8)'s names of scopes (/etc/iproute2/rt_scopes). */
const scopes: Readonly<Record<string, number>> = {
  global: 0,
  universe: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
};

/** IFA_PROTOCOL's value for addresses that Keepalived keeps (iproute2's rt_addrprotos has no name for it; kernels before 5.18 ignore it). */
const addressProtocol = 18;

export function parseLink(body: Uint8Array): Link | undefined {
  if (body.length < 16) return undefined;
  const view = viewOf(body);
  // AF_BRIDGE messages tell of bridge ports, not of links.
  if (body[0] !== 0) return undefined;
  const attributes = readAttributes(body, 16);
  const flags = view.getUint32(8, true);
  return {
    index: view.getInt32(4, true),
    name: readText(attributes.get(IFLA.name)) ?? '',
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    multicast: (flags & IFF_MULTICAST) !== 0,
    hardwareAddress: (attributes.get(IFLA.address) ?? new Uint8Array(0)).slice(),
    mtu: readUint32(attributes.get(IFLA.mtu)) ?? 0,
  };
}

/** With what it stands above; undefined for other kinds of links. */
export function parseMacvlan(body: Uint8Array): (Link & { readonly base: number | undefined }) | undefined {
  const link = parseLink(body);
  if (link === undefined) return undefined;
  const attributes = readAttributes(body, 16);
  const kind = readText(readAttributes(attributes.get(IFLA.linkInfo) ?? new Uint8Array(0), 0).get(IFLA_INFO_KIND));
  return kind === 'macvlan' ? { ...link, base: readUint32(attributes.get(IFLA.link)) } : undefined;
}

export function parseAddress(body: Uint8Array): LinkAddress | undefined {
  if (body.length < 8) return undefined;
  const family = body[0] === linux.AF_INET ? 'ipv4' : body[0] === linux.AF_INET6 ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const attributes = readAttributes(body, 8);
  const address = attributes.get(IFA.local) ?? attributes.get(IFA.address);
  if (address === undefined || address.length !== (family === 'ipv4' ? 4 : 16)) return undefined;
  return {
    interfaceIndex: viewOf(body).getInt32(4, true),
    family,
    address: addressToText(address),
    prefix: body[1],
    scope: body[3],
    tentative: ((readUint32(attributes.get(IFA.flags)) ?? body[2]) & IFA_F_TENTATIVE) !== 0,
  };
}

export function dumpLinks(): NetlinkMessage {
  return new NetlinkMessage(messageType.getLink, dumpFlags, new Uint8Array(16));
}

export function dumpAddresses(): NetlinkMessage {
  return new NetlinkMessage(messageType.getAddress, dumpFlags, new Uint8Array(8));
}

/**
 * Adds the address, or renews its lifetime where it stands already.
 * @returns undefined when the request holds something that is no address.
 */
export function addAddressMessage(request: AddressRequest): NetlinkMessage | undefined {
  const message = addressMessage(
    messageType.newAddress,
    changeFlags | messageFlag.create | messageFlag.replace,
    request,
  );
  if (message === undefined) return undefined;
  if (request.broadcast !== undefined) {
    const broadcast = broadcastBytes(request);
    if (broadcast === undefined) return undefined;
    message.bytes(IFA.broadcast, broadcast);
  }
  const { lifetimeSeconds, deprecated, preferredSeconds } = request;
  if (lifetimeSeconds !== undefined || deprecated || preferredSeconds !== undefined) {
    const valid = lifetimeSeconds ?? forever;
    const lifetimes = new Uint8Array(16);
    viewOf(lifetimes).setUint32(0, deprecated ? 0 : Math.min(preferredSeconds ?? valid, valid), true);
    viewOf(lifetimes).setUint32(4, valid, true);
    message.bytes(IFA.cacheInfo, lifetimes);
  }
  // Duplicate detection would keep an IPv6 address unusable for a second, and the group itself sees to it that it is unique.
  const flags =
    (request.family === 'ipv6' ? IFA_F_NODAD : 0) |
    (request.home ? IFA_F_HOMEADDRESS : 0) |
    (request.manageTemporary === true ? IFA_F_MANAGETEMPADDR : 0) |
    (request.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0) |
    (request.autojoin === true ? IFA_F_MCAUTOJOIN : 0);
  if (flags !== 0) message.uint32(IFA.flags, flags);
  return message.uint8(IFA.protocol, addressProtocol);
}

export function removeAddressMessage(request: AddressRequest): NetlinkMessage | undefined {
  return addressMessage(messageType.deleteAddress, changeFlags, request);
}

/** A macvlan in private mode, as `use_vmac` makes it: it hears its own hardware address and nothing of its siblings. */
export function createMacvlanMessage(
  baseIndex: number,
  name: string,
  hardwareAddress: Uint8Array,
  group: number,
): NetlinkMessage {
  return new NetlinkMessage(
    messageType.newLink,
    changeFlags | messageFlag.create | messageFlag.exclusive,
    new Uint8Array(16),
  )
    .uint32(IFLA.link, baseIndex)
    .text(IFLA.name, name)
    .bytes(IFLA.address, hardwareAddress)
    .uint32(IFLA.group, group)
    .nest(IFLA.linkInfo, (info) => {
      info.text(IFLA_INFO_KIND, 'macvlan').nest(IFLA_INFO_DATA, (data) => {
        data.uint32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
      });
    });
}

/** No link-local address by itself: two routers with one hardware address would make the same one. */
export function noAddressGenerationMessage(index: number): NetlinkMessage {
  return new NetlinkMessage(messageType.newLink, changeFlags, linkBody(index, 0, 0)).nest(
    IFLA.addressFamilies,
    (families) => {
      families.nest(linux.AF_INET6, (inet6) => inet6.uint8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE));
    },
  );
}

/** The kernel tells everybody of a link that is given its group, even when it is the one that it has. */
export function setGroupMessage(index: number, group: number): NetlinkMessage {
  return new NetlinkMessage(messageType.newLink, changeFlags, linkBody(index, 0, 0)).uint32(IFLA.group, group);
}

/** The link's group, of its message in a dump; 0 is the one that all have at first. */
export function parseGroup(body: Uint8Array): number {
  return readUint32(readAttributes(body, 16).get(IFLA.group)) ?? 0;
}

export function setUpMessage(index: number): NetlinkMessage {
  return new NetlinkMessage(messageType.newLink, changeFlags, linkBody(index, IFF_UP, IFF_UP));
}

export function deleteLinkMessage(index: number): NetlinkMessage {
  return new NetlinkMessage(messageType.deleteLink, changeFlags, linkBody(index, 0, 0));
}

function linkBody(index: number, flags: number, change: number): Uint8Array {
  const body = new Uint8Array(16);
  const view = viewOf(body);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return body;
}

function addressMessage(type: number, flags: number, request: AddressRequest): NetlinkMessage | undefined {
  const local = addressToBytes(request.family, request.address);
  const peer = request.peer === undefined ? local : addressToBytes(request.family, request.peer);
  const scope = scopeNumber(request);
  if (local === undefined || peer === undefined || scope === undefined) return undefined;
  const body = new Uint8Array(8);
  body[0] = familyNumber(request.family);
  body[1] = request.prefix;
  body[3] = scope;
  viewOf(body).setInt32(4, request.interfaceIndex, true);
  const message = new NetlinkMessage(type, flags, body).bytes(IFA.local, local).bytes(IFA.address, peer);
  if (request.label !== undefined && request.family === 'ipv4') message.text(IFA.label, request.label);
  return message;
}

function scopeNumber(request: AddressRequest): number | undefined {
  const word = request.scope;
  if (word === undefined) return 0;
  const named = scopes[word];
  if (named !== undefined) return named;
  const number = Number(word);
  return Number.isInteger(number) && number >= 0 && number <= 255 ? number : undefined;
}

/** ip-address(8): `+` sets the host bits to one, `-` to zero. */
function broadcastBytes(request: AddressRequest): Uint8Array | undefined {
  const word = request.broadcast;
  if (word === undefined) return undefined;
  if (word !== '+' && word !== '-') return addressToBytes('ipv4', word);
  const bytes = addressToBytes('ipv4', request.address);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  const host = request.prefix >= 32 ? 0 : 0xffffffff >>> request.prefix;
  const address = view.getUint32(0);
  view.setUint32(0, word === '+' ? (address | host) >>> 0 : (address & ~host) >>> 0);
  return bytes;
}
