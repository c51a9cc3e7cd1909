/**
 * Lines of virtual_routes and static_routes: ip-route(8)'s words as Keepalived takes them, checked and made canonical for the adapter:
 * `[TYPE] DESTINATION [option value]… [nexthop [option value]…]…`, `via` and `to` families resolved, short and old spellings replaced.
 */

import type { Word } from '../config/keepalived/placed-text.ts';
import { parseAnyBase, parseDecimal } from '../config/keepalived/values.ts';
import { type IpFamily, parseIp } from '../core/address.ts';
import type { RoutePlan } from './vrrp.ts';
import { expectInterface, isInterfaceName, readPrefixed } from './vrrp-addresses.ts';
import type { PlanContext, RoutingNames } from './vrrp-context.ts';
import { readTrackGroup } from './vrrp-track-group.ts';

const types = new Set([
  'unicast',
  'local',
  'broadcast',
  'multicast',
  'throw',
  'unreachable',
  'prohibit',
  'blackhole',
  'anycast',
]);
const flags = new Set(['onlink', 'pervasive', 'append', 'prepend', 'add']);
const spellings: Readonly<Record<string, string>> = {
  gw: 'via',
  oif: 'dev',
  priority: 'metric',
  preference: 'metric',
  dsfield: 'tos',
};

type Check = (text: string) => boolean;
export const within =
  (min: number, max: number): Check =>
  (text) => {
    const number = parseAnyBase(text);
    return number !== undefined && number >= min && number <= max;
  };
const word32 = within(0, 4_294_967_295);

export interface NamedNumber {
  readonly kind: RoutingNames;
  readonly max: number;
}

/** The number, in decimal, that is written or that its name stands for; undefined when there is none. */
export function resolveNumber(text: string, { kind, max }: NamedNumber, context: PlanContext): string | undefined {
  const written = parseAnyBase(text);
  if (written !== undefined) return written >= 0 && written <= max ? String(written) : undefined;
  const { routingNumber } = context.world;
  if (routingNumber === undefined) return text;
  const number = routingNumber(kind, text);
  return number === undefined || number > max ? undefined : String(number);
}

/** `[FROM/]TO`. */
export function resolveRealms(text: string, context: PlanContext): string | undefined {
  const parts = text.split('/').map((part) => resolveNumber(part, { kind: 'realm', max: 65_535 }, context));
  return parts.length > 2 || parts.includes(undefined) ? undefined : parts.join('/');
}

const named: Readonly<Record<string, NamedNumber>> = {
  table: { kind: 'table', max: 4_294_967_295 },
  protocol: { kind: 'protocol', max: 255 },
  tos: { kind: 'tos', max: 255 },
};
const scope: Check = (text) =>
  ['global', 'universe', 'site', 'link', 'host', 'nowhere'].includes(text) || within(0, 255)(text);
const time: Check = (text) => parseDecimal(text.replace(/m?s$/, '')) !== undefined;

const options: Readonly<Record<string, Check>> = {
  dev: isInterfaceName,
  scope,
  metric: word32,
  mtu: word32,
  hoplimit: within(0, 255),
  advmss: word32,
  rtt: time,
  rttvar: time,
  reordering: word32,
  window: word32,
  cwnd: word32,
  ssthresh: word32,
  rto_min: time,
  initcwnd: word32,
  initrwnd: word32,
  quickack: within(0, 1),
  congctl: (text) => /^[\w.-]{1,15}$/.test(text),
  pref: (text) => ['low', 'medium', 'high'].includes(text) || within(0, 3)(text),
  expires: word32,
  fastopen_no_cookie: within(0, 1),
  'ttl-propagate': (text) => text === 'enabled' || text === 'disabled',
  features: (text) => text === 'ecn',
  weight: within(1, 256),
};
const lockable = new Set([
  'mtu',
  'hoplimit',
  'advmss',
  'rtt',
  'rttvar',
  'reordering',
  'window',
  'cwnd',
  'ssthresh',
  'rto_min',
  'congctl',
]);

interface Reading {
  readonly words: string[];
  readonly line: readonly Word[];
  readonly context: PlanContext;
  index: number;
  family: IpFamily | undefined;
  destinationFamily: IpFamily | undefined;
  noTrack: boolean;
  group: Word | undefined;
}

/** Undefined, with a warning, when Keepalived would leave the line out. */
export function readRoute(line: readonly Word[], context: PlanContext, isStatic = false): RoutePlan | undefined {
  const reading: Reading = {
    words: [],
    line,
    context,
    index: 0,
    family: undefined,
    destinationFamily: undefined,
    noTrack: false,
    group: undefined,
  };
  const type = types.has(line[0]!.text) ? line[reading.index++]!.text : undefined;
  let destination: string | undefined;
  const gateways: string[] = [];
  while (reading.index < line.length) {
    const word = line[reading.index++]!;
    const prefixed = word.text === 'default' || word.text === 'all' ? 'default' : prefixOf(word.text, reading);
    if (destination === undefined && prefixed !== undefined) destination = prefixed;
    else if (word.text === 'to' && destination === undefined) destination = readTo(reading);
    else if (word.text === 'or') {
      context.warn('removed-word', word.place, "'or' is an old word", 'write nexthop via ADDRESS nexthop via ADDRESS');
      readOr(reading, gateways);
    } else if (!readOption(word, reading)) return undefined;
  }
  if (destination === undefined) {
    context.warn('missing-argument', line[0]!.place, 'a route needs a destination: the line is left out');
    return undefined;
  }
  if (reading.destinationFamily !== undefined && reading.destinationFamily !== reading.family) {
    const message = `'${destination}' is not of the family of the line's other addresses: the line is left out`;
    context.warn('conflict', line[0]!.place, message, 'write addresses of one family');
    return undefined;
  }
  const { words } = reading;
  const via = words.indexOf('via');
  if (gateways.length > 0 && via >= 0) words.push(...['nexthop', ...words.splice(via, 3)], ...gateways);
  const nexthop = words.indexOf('nexthop');
  const untracked = !words.slice(0, nexthop === -1 ? words.length : nexthop).includes('dev');
  if (untracked && !reading.noTrack)
    context.warn(
      'risky',
      line[0]!.place,
      'a route without dev cannot be tracked: its loss is not noticed',
      'write dev, or no_track',
    );
  return {
    words: [...(type === undefined ? [] : [type]), destination, ...words],
    family: reading.family ?? 'ipv4',
    noTrack: reading.noTrack || untracked,
    trackGroup: readTrackGroup(
      reading.group,
      { isStatic, noTrack: reading.noTrack, onInterface: !untracked, what: 'route' },
      context,
    ),
  };
}

function prefixOf(text: string, reading: Reading): string | undefined {
  const prefixed = readPrefixed(text);
  if (prefixed === undefined) return undefined;
  reading.destinationFamily = prefixed.family;
  reading.family ??= prefixed.family;
  return `${prefixed.address}/${prefixed.prefix}`;
}

function readTo(reading: Reading): string | undefined {
  const word = reading.line[reading.index++];
  if (word === undefined) return undefined;
  return word.text === 'default' ? 'default' : prefixOf(word.text, reading);
}

/** `via A or B`: the old spelling of two next hops. */
function readOr(reading: Reading, gateways: string[]): void {
  const word = reading.line[reading.index++];
  const ip = word === undefined ? undefined : parseIp(word.text);
  if (ip !== undefined) gateways.push('nexthop', 'via', ip.family === 'ipv4' ? 'inet' : 'inet6', ip.host);
}

function takesValue(name: string): boolean {
  return (
    ['via', 'src', 'from', 'realms', 'track_group'].includes(name) ||
    named[name] !== undefined ||
    options[name] !== undefined
  );
}

/** Words that Keepalived has, and what to write instead. */
const unsupported: Readonly<Record<string, string>> = {
  as: 'remove it: the kernel takes it with MPLS only',
  nat: 'remove it: the kernel has had no such routes since Linux 2.6',
  vrf: 'write table with the number of the table that the VRF uses (ip vrf show)',
};

/** False, with a warning or an alert, when the line can't be used. */
function readOption(word: Word, reading: Reading): boolean {
  const { context, line, words } = reading;
  if (word.text === 'gw') context.warn('removed-word', word.place, "'gw' is an old word", 'write via');
  const name = spellings[word.text] ?? word.text;
  if (name === 'encap') {
    context.alert(
      'unsupported-word',
      word.place,
      "'encap' (a route into a tunnel) is not supported",
      'make the tunnel an interface, and route to it with dev',
    );
    return false;
  }
  const remedy = unsupported[name];
  if (remedy !== undefined) {
    context.alert('unsupported-word', word.place, `'${word.text}' is not supported in a route`, remedy);
    return false;
  }
  if (name === 'no_track') reading.noTrack = true;
  else if (name === 'inet' || name === 'inet6') reading.family = name === 'inet' ? 'ipv4' : 'ipv6';
  else if (name === 'nexthop' || flags.has(name)) words.push(name);
  else if (takesValue(name)) {
    const locked = lockable.has(name) && line[reading.index]?.text === 'lock';
    if (locked) reading.index++;
    const given = name === 'via' && /^inet6?$/.test(line[reading.index]?.text ?? '');
    if (given) reading.index++;
    const value = line[reading.index++];
    if (value === undefined) {
      context.alert('missing-argument', word.place, `'${word.text}' needs a value`);
      return false;
    }
    return readValue(name, value, locked, reading);
  } else {
    context.warn('unknown-word', word.place, `'${word.text}' is no word of a route: the line is left out`);
    return false;
  }
  return true;
}

/** Keepalived keeps the next hops before one of the other family; false when there are none. */
function cutAtNexthop(reading: Reading): boolean {
  const { words } = reading;
  const last = words.lastIndexOf('nexthop');
  if (last === words.indexOf('nexthop')) return false;
  words.splice(last);
  reading.index = reading.line.length;
  return true;
}

function readValue(name: string, value: Word, locked: boolean, reading: Reading): boolean {
  const { context, words } = reading;
  if (name === 'track_group') {
    reading.group = value;
    return true;
  }
  if (name === 'from') {
    const from = readPrefixed(value.text);
    if (from?.family !== 'ipv6' || reading.family === 'ipv4') {
      context.warn(
        'bad-value',
        value.place,
        `'${value.text}': from takes an IPv6 prefix, in an IPv6 route: the line is left out`,
      );
      return false;
    }
    reading.family = 'ipv6';
    words.push('from', `${from.address}/${from.prefix}`);
    return true;
  }
  if (name === 'via' || name === 'src') {
    const ip = parseIp(value.text.split('/')[0]!);
    if (ip === undefined) {
      context.warn('bad-value', value.place, `'${value.text}' is not an IP address: the line is left out`);
      return false;
    }
    if (reading.family !== undefined && ip.family !== reading.family) {
      context.warn(
        'conflict',
        value.place,
        `'${value.text}' is not of the route's family: ${name === 'via' && words.indexOf('nexthop') < words.lastIndexOf('nexthop') ? 'the line is left out from this nexthop on' : 'the line is left out'}`,
        `write an ${reading.family === 'ipv4' ? 'IPv4' : 'IPv6'} address`,
      );
      return name === 'via' && cutAtNexthop(reading);
    }
    words.push(name, ...(name === 'via' ? [ip.family === 'ipv4' ? 'inet' : 'inet6'] : []), ip.host);
    reading.family ??= ip.family;
    return true;
  }
  if (name === 'realms' || named[name] !== undefined) {
    const number =
      name === 'realms' ? resolveRealms(value.text, context) : resolveNumber(value.text, named[name]!, context);
    if (number === undefined) {
      context.warn('bad-value', value.place, `'${value.text}' is no value of ${name}: the line is left out`);
      return false;
    }
    words.push(name, number);
    return true;
  }
  if (options[name]!(value.text)) {
    if (name === 'dev') expectInterface(value, context);
    words.push(name, ...(locked ? ['lock'] : []), value.text);
    return true;
  }
  context.warn('bad-value', value.place, `'${value.text}' is no value of ${name}: it is left out`);
  return true;
}
