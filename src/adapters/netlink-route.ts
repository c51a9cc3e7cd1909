/**
 * `virtual_routes`, `virtual_rules`, `static_routes`, `static_rules`: ip-route(8)'s and ip-rule(8)'s words as rtnetlink messages.
 * Each word is one row of a table; a word without a row is an error that names it.
 */
import type { IpFamily } from '../core/address.ts';
import { addressToBytes, familyNumber } from './address-bytes.ts';
import { messageFlag, messageType, NetlinkMessage, viewOf } from './netlink-message.ts';
import { changeFlags } from './netlink-socket.ts';

export type BuiltMessage = { readonly message: NetlinkMessage } | { readonly failure: string };
type Direction = 'add' | 'remove';

const routeTypes: Readonly<Record<string, number>> = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
};
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
const tables: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };
const RTPROT_KEEPALIVED = 18;

const RTA = {
  dst: 1,
  src: 2,
  oif: 4,
  gateway: 5,
  priority: 6,
  prefsrc: 7,
  metrics: 8,
  table: 15,
  mark: 16,
  via: 18,
  pref: 20,
};
/** RTAX_*: what stands inside RTA_METRICS. */
const metrics: Readonly<Record<string, number>> = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rto_min: 13,
  initrwnd: 14,
  quickack: 15,
};
const RTNH_F_ONLINK = 4;
const preferences: Readonly<Record<string, number>> = { low: 3, medium: 0, high: 1 };

const FRA = {
  dst: 1,
  src: 2,
  iif: 3,
  goto: 4,
  priority: 6,
  mark: 10,
  flow: 11,
  table: 15,
  mask: 16,
  oif: 17,
  protocol: 21,
};
const FIB_RULE_INVERT = 2;
const ruleActions: Readonly<Record<string, number>> = { blackhole: 6, unreachable: 7, prohibit: 8 };
const FR_ACT_TO_TBL = 1;
const FR_ACT_GOTO = 2;

/** @param words as after `ip route add`. */
export function routeMessage(
  direction: Direction,
  words: readonly string[],
  family: IpFamily,
  indexOf: (name: string) => number | undefined,
): BuiltMessage {
  const body = new Uint8Array(12);
  const attributes: [number, Uint8Array][] = [];
  const metricValues: [number, number][] = [];
  let scope: number | undefined;
  let direct = true;
  body[0] = familyNumber(family);
  body[4] = 254;
  body[5] = RTPROT_KEEPALIVED;
  body[7] = 1;

  let at = 0;
  const next = () => words[at++] ?? '';
  while (at < words.length) {
    const word = next();
    switch (word) {
      case 'to':
        break;
      case 'via':
      case 'gw': {
        const inner = words[at] === 'inet' || words[at] === 'inet6' ? next() : undefined;
        const text = next();
        const gateway = addressToBytes(family, text);
        direct = false;
        if (gateway !== undefined) attributes.push([RTA.gateway, gateway]);
        else if (family === 'ipv4' && inner !== 'inet' && addressToBytes('ipv6', text) !== undefined)
          attributes.push([RTA.via, viaBytes(text)]);
        else return { failure: `via ${text}: not an address` };
        break;
      }
      case 'dev':
      case 'oif': {
        const index = indexOf(next());
        if (index === undefined) return { failure: 'ENODEV' };
        attributes.push([RTA.oif, uint32(index)]);
        break;
      }
      case 'src': {
        const source = addressToBytes(family, next());
        if (source === undefined) return { failure: `src ${words[at - 1]}: not an address` };
        attributes.push([RTA.prefsrc, source]);
        break;
      }
      case 'from': {
        const prefix = parsePrefix(next(), family);
        if (prefix === undefined) return { failure: `from ${words[at - 1]}: not a prefix` };
        body[2] = prefix.length;
        attributes.push([RTA.src, prefix.bytes]);
        break;
      }
      case 'metric':
      case 'priority':
      case 'preference':
        attributes.push([RTA.priority, uint32(Number(next()))]);
        break;
      case 'table': {
        const table = numberOrName(next(), tables);
        if (table === undefined)
          return { failure: `table ${words[at - 1]}: neither a number nor main, local or default` };
        body[4] = table < 256 ? table : 0;
        attributes.push([RTA.table, uint32(table)]);
        break;
      }
      case 'scope':
        scope = numberOrName(next(), scopes);
        if (scope === undefined) return { failure: `scope ${words[at - 1]}: unknown` };
        break;
      case 'proto':
      case 'protocol': {
        const protocol = numberOrName(next(), protocols);
        if (protocol === undefined) return { failure: `protocol ${words[at - 1]}: unknown` };
        body[5] = protocol;
        break;
      }
      case 'tos':
      case 'dsfield':
        body[3] = Number(next());
        break;
      case 'onlink':
        viewOf(body).setUint32(8, RTNH_F_ONLINK, true);
        break;
      case 'pref': {
        const preference = numberOrName(next(), preferences);
        if (preference === undefined) return { failure: `pref ${words[at - 1]}: unknown` };
        attributes.push([RTA.pref, Uint8Array.of(preference)]);
        break;
      }
      default: {
        if (metrics[word] !== undefined) {
          if (words[at] === 'lock') {
            next();
            metricValues.push([1, 1 << metrics[word]]);
          }
          metricValues.push([metrics[word], Number(next())]);
        } else if (routeTypes[word] !== undefined) body[7] = routeTypes[word];
        else {
          const prefix = parsePrefix(word, family);
          if (prefix === undefined) return { failure: `${word}: not a word of ip route that is known here` };
          body[1] = prefix.length;
          if (prefix.length > 0) attributes.push([RTA.dst, prefix.bytes]);
        }
      }
    }
  }
  // As iproute2: a directly connected destination has link scope, one that is local host scope; when removing, any.
  if (scope === undefined) scope = family === 'ipv6' ? 0 : body[7] === 2 ? 254 : direct && body[7] === 1 ? 253 : 0;
  body[6] = direction === 'remove' && family === 'ipv4' ? 255 : scope;
  const flags = direction === 'add' ? changeFlags | messageFlag.create | messageFlag.replace : changeFlags;
  const message = new NetlinkMessage(direction === 'add' ? messageType.newRoute : messageType.deleteRoute, flags, body);
  for (const [type, value] of attributes) message.bytes(type, value);
  if (metricValues.length > 0)
    message.nest(RTA.metrics, (nested) => {
      for (const [type, value] of metricValues) nested.uint32(type, value);
    });
  return { message };
}

/** @param words as after `ip rule add`. */
export function ruleMessage(direction: Direction, words: readonly string[], family: IpFamily): BuiltMessage {
  const body = new Uint8Array(12);
  const attributes: [number, Uint8Array][] = [];
  body[0] = familyNumber(family);
  body[7] = FR_ACT_TO_TBL;
  let at = 0;
  const next = () => words[at++] ?? '';
  while (at < words.length) {
    const word = next();
    switch (word) {
      case 'not':
        viewOf(body).setUint32(8, FIB_RULE_INVERT, true);
        break;
      case 'from':
      case 'to': {
        const prefix = parsePrefix(next(), family);
        if (prefix === undefined) return { failure: `${word} ${words[at - 1]}: not a prefix` };
        body[word === 'from' ? 2 : 1] = prefix.length;
        if (prefix.length > 0) attributes.push([word === 'from' ? FRA.src : FRA.dst, prefix.bytes]);
        break;
      }
      case 'table':
      case 'lookup': {
        const table = numberOrName(next(), tables);
        if (table === undefined)
          return { failure: `table ${words[at - 1]}: neither a number nor main, local or default` };
        body[4] = table < 256 ? table : 0;
        attributes.push([FRA.table, uint32(table)]);
        break;
      }
      case 'pref':
      case 'priority':
      case 'preference':
      case 'order':
        attributes.push([FRA.priority, uint32(Number(next()))]);
        break;
      case 'fwmark': {
        const [mark, mask] = next().split('/');
        attributes.push([FRA.mark, uint32(Number(mark))]);
        if (mask !== undefined) attributes.push([FRA.mask, uint32(Number(mask))]);
        break;
      }
      case 'iif':
      case 'dev':
        attributes.push([FRA.iif, text(next())]);
        break;
      case 'oif':
        attributes.push([FRA.oif, text(next())]);
        break;
      case 'tos':
      case 'dsfield':
        body[3] = Number(next());
        break;
      case 'realms':
        attributes.push([FRA.flow, uint32(Number(next()))]);
        break;
      case 'goto':
        body[7] = FR_ACT_GOTO;
        attributes.push([FRA.goto, uint32(Number(next()))]);
        break;
      default: {
        const action = ruleActions[word];
        if (action === undefined) return { failure: `${word}: not a word of ip rule that is known here` };
        body[7] = action;
      }
    }
  }
  if (body[7] === FR_ACT_TO_TBL && !attributes.some(([type]) => type === FRA.table)) body[4] = 254;
  attributes.push([FRA.protocol, Uint8Array.of(RTPROT_KEEPALIVED)]);
  const message = new NetlinkMessage(
    direction === 'add' ? messageType.newRule : messageType.deleteRule,
    direction === 'add' ? changeFlags | messageFlag.create | messageFlag.exclusive : changeFlags,
    body,
  );
  for (const [type, value] of attributes) message.bytes(type, value);
  return { message };
}

function parsePrefix(
  word: string,
  family: IpFamily,
): { readonly bytes: Uint8Array; readonly length: number } | undefined {
  if (word === 'default' || word === 'any' || word === 'all') return { bytes: new Uint8Array(0), length: 0 };
  const [address, length, ...rest] = word.split('/');
  const bytes = addressToBytes(family, address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return Number.isInteger(bits) && bits >= 0 && bits <= bytes.length * 8 ? { bytes, length: bits } : undefined;
}

function numberOrName(word: string, names: Readonly<Record<string, number>>): number | undefined {
  const number = names[word] ?? Number(word);
  return word !== '' && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** struct rtvia: an IPv6 gateway of an IPv4 route. */
function viaBytes(address: string): Uint8Array {
  const bytes = new Uint8Array(18);
  viewOf(bytes).setUint16(0, familyNumber('ipv6'), true);
  bytes.set(addressToBytes('ipv6', address) ?? [], 2);
  return bytes;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value + '\0');
}
