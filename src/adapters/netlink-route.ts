/** `virtual_routes` and `static_routes`: ip-route(8)'s words as rtnetlink messages. A word that is not here is an error that names it. */
import type { IpFamily } from '../core/address.ts';
import { addressToBytes, familyNumber } from './address-bytes.ts';
import { messageFlag, messageType, NetlinkMessage, viewOf } from './netlink-message.ts';
import { changeFlags } from './netlink-socket.ts';
import {
  type Attribute,
  attributeBytes,
  type BuiltMessage,
  type Direction,
  numberOrName,
  parsePrefix,
  RTPROT_KEEPALIVED,
  realmsNumber,
  tableByte,
  tableNumber,
  text,
  uint32,
} from './route-words.ts';

const routeType = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const;
const routeTypes: Readonly<Record<string, number>> = routeType;
const scopes: Readonly<Record<string, number>> = {
  global: 0,
  universe: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
};
const protocols: Readonly<Record<string, number>> = {
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  keepalived: 18,
};

const RTA = {
  dst: 1,
  src: 2,
  oif: 4,
  gateway: 5,
  priority: 6,
  prefsrc: 7,
  metrics: 8,
  multipath: 9,
  flow: 11,
  table: 15,
  via: 18,
  pref: 20,
  expires: 23,
  ttlPropagate: 26,
};
/** RTAX_*: what stands inside RTA_METRICS. */
const RTAX = { lock: 1, rtt: 4, rttvar: 5, features: 12, rto_min: 13, congctl: 16 };
const metrics: Readonly<Record<string, number>> = {
  mtu: 2,
  window: 3,
  rtt: RTAX.rtt,
  rttvar: RTAX.rttvar,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: RTAX.features,
  rto_min: RTAX.rto_min,
  initrwnd: 14,
  quickack: 15,
  congctl: RTAX.congctl,
  fastopen_no_cookie: 17,
};
const RTAX_FEATURE_ECN = 1;
/** The kernel keeps a smoothed rtt in eighths of a millisecond and its variance in quarters; a plain number is in those (ip-route(8)). */
const partsOfMillisecond: Readonly<Record<string, number>> = { rtt: 8, rttvar: 4, rto_min: 1 };
const nexthopFlags: Readonly<Record<string, number>> = { pervasive: 2, onlink: 4 };
const preferences: Readonly<Record<string, number>> = { low: 3, medium: 0, high: 1 };
/** How the route is put beside those that are there; without a word it replaces its like. */
const placing: Readonly<Record<string, number>> = {
  add: messageFlag.exclusive,
  append: messageFlag.append,
  prepend: 0,
};

type IndexOf = (name: string) => number | undefined;

/** @param words as after `ip route add`. */
export function routeMessage(
  direction: Direction,
  words: readonly string[],
  family: IpFamily,
  indexOf: IndexOf,
): BuiltMessage {
  const body = new Uint8Array(12);
  const attributes: Attribute[] = [];
  const metricValues: Attribute[] = [];
  let locked = 0;
  let scope: number | undefined;
  let place: number = messageFlag.replace;
  body[0] = familyNumber(family);
  body[4] = 254;
  body[5] = RTPROT_KEEPALIVED;
  body[7] = routeType.unicast;

  const [route, ...hops] = splitHops(words);
  const own = readHop(route!, family, indexOf);
  if ('failure' in own) return own;
  attributes.push(...own.attributes);
  viewOf(body).setUint32(8, own.flags, true);
  const left = own.left;
  let at = 0;
  const next = () => left[at++] ?? '';
  while (at < left.length) {
    const word = next();
    switch (word) {
      case 'src': {
        const source = addressToBytes(family, next());
        if (source === undefined) return { failure: `src ${left[at - 1]}: not an address` };
        attributes.push([RTA.prefsrc, source]);
        break;
      }
      case 'from': {
        const from = parsePrefix(next(), family);
        if (from === undefined) return { failure: `from ${left[at - 1]}: not a prefix` };
        body[2] = from.length;
        if (from.length > 0) attributes.push([RTA.src, from.bytes]);
        break;
      }
      case 'metric':
        attributes.push([RTA.priority, uint32(Number(next()))]);
        break;
      case 'expires':
        attributes.push([RTA.expires, uint32(Number(next()))]);
        break;
      case 'table': {
        const table = tableNumber(next());
        if (table === undefined) return { failure: `table ${left[at - 1]}: not a number` };
        body[4] = tableByte(table);
        attributes.push([RTA.table, uint32(table)]);
        break;
      }
      case 'scope':
        scope = numberOrName(next(), scopes);
        if (scope === undefined) return { failure: `scope ${left[at - 1]}: unknown` };
        break;
      case 'protocol': {
        const protocol = numberOrName(next(), protocols);
        if (protocol === undefined) return { failure: `protocol ${left[at - 1]}: unknown` };
        body[5] = protocol;
        break;
      }
      case 'tos':
        body[3] = Number(next());
        break;
      case 'ttl-propagate':
        attributes.push([RTA.ttlPropagate, Uint8Array.of(next() === 'enabled' ? 1 : 0)]);
        break;
      case 'pref': {
        const preference = numberOrName(next(), preferences);
        if (preference === undefined) return { failure: `pref ${left[at - 1]}: unknown` };
        attributes.push([RTA.pref, Uint8Array.of(preference)]);
        break;
      }
      default: {
        const metric = metrics[word];
        if (metric !== undefined) {
          if (left[at] === 'lock') {
            at++;
            locked |= 1 << metric;
          }
          metricValues.push([metric, metricBytes(word, next())]);
        } else if (routeTypes[word] !== undefined) body[7] = routeTypes[word];
        else if (placing[word] !== undefined) place = placing[word];
        else {
          const prefix = parsePrefix(word, family);
          if (prefix === undefined) return { failure: `${word}: not a word of ip route that is known here` };
          body[1] = prefix.length;
          if (prefix.length > 0) attributes.push([RTA.dst, prefix.bytes]);
        }
      }
    }
  }
  const paths: Uint8Array[] = [];
  for (const each of hops) {
    const hop = readHop(each, family, indexOf);
    if ('failure' in hop) return hop;
    if (hop.left.length > 0) return { failure: `${hop.left[0]}: not a word of a nexthop that is known here` };
    paths.push(nexthopBytes(hop));
  }
  if (paths.length > 0) attributes.push([RTA.multipath, new Uint8Array(Buffer.concat(paths))]);
  if (locked !== 0) metricValues.push([RTAX.lock, uint32(locked)]);
  if (metricValues.length > 0) attributes.push([RTA.metrics, attributeBytes(metricValues)]);
  const direct = !own.hasGateway && paths.length === 0;
  body[6] =
    direction === 'remove' && family === 'ipv4' ? scopes['nowhere']! : (scope ?? usualScope(body[7], family, direct));
  const flags = direction === 'add' ? changeFlags | messageFlag.create | place : changeFlags;
  const message = new NetlinkMessage(direction === 'add' ? messageType.newRoute : messageType.deleteRoute, flags, body);
  for (const [type, value] of attributes) message.bytes(type, value);
  return { message };
}

/** As iproute2: what is connected directly has link scope, what is local host scope. IPv6 has no scopes of routes. */
function usualScope(type: number, family: IpFamily, direct: boolean): number {
  if (family === 'ipv6') return scopes['global']!;
  if (type === routeType.local) return scopes['host']!;
  const onLink = type === routeType.broadcast || type === routeType.multicast || type === routeType.anycast;
  return onLink || (type === routeType.unicast && direct) ? scopes['link']! : scopes['global']!;
}

/** The route's own words, then each next hop's. */
function splitHops(words: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const word of words)
    if (word === 'nexthop') parts.push([]);
    else parts.at(-1)!.push(word);
  return parts;
}

interface Hop {
  readonly attributes: readonly Attribute[];
  readonly flags: number;
  readonly weight: number;
  readonly hasGateway: boolean;
  /** Words that say nothing about the way to the next router. */
  readonly left: readonly string[];
}

function readHop(words: readonly string[], family: IpFamily, indexOf: IndexOf): Hop | { readonly failure: string } {
  const attributes: Attribute[] = [];
  const left: string[] = [];
  let flags = 0;
  let weight = 1;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    switch (word) {
      case 'via': {
        const inner = words[at + 1] === 'inet' || words[at + 1] === 'inet6' ? words[++at] : undefined;
        const address = words[++at] ?? '';
        const gateway = addressToBytes(family, address);
        if (gateway !== undefined) attributes.push([RTA.gateway, gateway]);
        else if (family === 'ipv4' && inner !== 'inet' && addressToBytes('ipv6', address) !== undefined)
          attributes.push([RTA.via, viaBytes(address)]);
        else return { failure: `via ${address}: not an address` };
        break;
      }
      case 'dev': {
        const index = indexOf(words[++at] ?? '');
        if (index === undefined) return { failure: 'ENODEV' };
        attributes.push([RTA.oif, uint32(index)]);
        break;
      }
      case 'realms': {
        const realms = realmsNumber(words[++at] ?? '');
        if (realms === undefined) return { failure: `realms ${words[at]}: not [NUMBER/]NUMBER` };
        attributes.push([RTA.flow, uint32(realms)]);
        break;
      }
      case 'weight':
        weight = Number(words[++at]);
        break;
      default:
        if (nexthopFlags[word] === undefined) left.push(word);
        else flags |= nexthopFlags[word];
    }
  }
  const hasGateway = attributes.some(([type]) => type === RTA.gateway || type === RTA.via);
  return { attributes, flags, weight, hasGateway, left };
}

/** struct rtnexthop, with its attributes behind it. */
function nexthopBytes({ attributes, flags, weight }: Hop): Uint8Array {
  const device = attributes.find(([type]) => type === RTA.oif);
  const rest = attributeBytes(attributes.filter(([type]) => type !== RTA.oif));
  const bytes = new Uint8Array(8 + rest.length);
  viewOf(bytes).setUint16(0, bytes.length, true);
  bytes[2] = flags;
  bytes[3] = weight - 1;
  if (device !== undefined) bytes.set(device[1], 4);
  bytes.set(rest, 8);
  return bytes;
}

function metricBytes(name: string, value: string): Uint8Array {
  if (name === 'congctl') return text(value);
  if (name === 'features') return uint32(RTAX_FEATURE_ECN);
  const parts = partsOfMillisecond[name];
  if (parts === undefined) return uint32(Number(value));
  const [, number, unit] = /^(.*?)(ms|s)?$/.exec(value)!;
  return uint32(unit === undefined ? Number(number) : Number(number) * (unit === 's' ? 1000 : 1) * parts);
}

/** struct rtvia: an IPv6 gateway of an IPv4 route. */
function viaBytes(address: string): Uint8Array {
  const bytes = new Uint8Array(18);
  viewOf(bytes).setUint16(0, familyNumber('ipv6'), true);
  bytes.set(addressToBytes('ipv6', address) ?? [], 2);
  return bytes;
}
