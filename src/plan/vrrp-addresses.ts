/** Lines of virtual_ipaddress, virtual_ipaddress_excluded and static_ipaddress. */

import { has } from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import { parseInteger } from '../config/keepalived/values.ts';
import { formatIp, type IpFamily, ipBytes, parseIp } from '../core/address.ts';
import type { VirtualAddress } from '../core/vrrp/settings.ts';
import type { PlanContext } from './vrrp-context.ts';
import { readTrackGroup } from './vrrp-track-group.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** ip-address(8)'s scopes; a number from 0 to 255 stands for itself. */
const scopes = new Set(['global', 'site', 'link', 'host', 'nowhere']);

/**
 * `ADDRESS[/PREFIX] [brd ADDRESS|+|-] [dev INTERFACE] …`, or undefined with a warning when Keepalived would leave the line out.
 * Without a prefix it is 32 or 128.
 */
export function readAddress(line: readonly Word[], context: PlanContext, isStatic = false): VirtualAddress | undefined {
  const first = line[0]!;
  const parsed = readWithPrefix(first, context);
  if (parsed === undefined) {
    context.warn(
      'bad-value',
      first.place,
      `'${first.text}' is not an IP address with an optional /prefix: the line is left out`,
    );
    return undefined;
  }
  const address: Mutable<VirtualAddress> = {
    ...parsed,
    device: undefined,
    label: undefined,
    scope: undefined,
    broadcast: undefined,
    peer: undefined,
    home: false,
    noPrefixRoute: false,
    trackGroup: undefined,
  };
  if (parsed.family === 'ipv6' && parsed.prefix === 128) address.preferredLifetimeSec = 0;
  let group: Word | undefined;
  for (let index = 1; index < line.length; index++) {
    const word = line[index]!;
    const valued = valuedWords[word.text];
    if (valued !== undefined) {
      const value = line[++index];
      if (value === undefined)
        context.warn('missing-argument', word.place, `'${word.text}' needs a value: it is left out`);
      else valued(address, value, context);
    } else if (word.text === 'track_group') group = line[++index];
    else if (flagWords[word.text] !== undefined && !(isStatic && word.text === 'use_vmac'))
      flagWords[word.text]!(address, word, context);
    else context.warn('unknown-word', word.place, `'${word.text}' is no word of an address line: it is left out`);
  }
  if (address.label !== undefined && address.label.length > 15) {
    context.warn(
      'bad-value',
      first.place,
      `the label '${address.label}' is longer than 15 characters: the line is left out`,
    );
    return undefined;
  }
  const noTrack = address.noTrack === true;
  address.trackGroup = readTrackGroup(group, { isStatic, noTrack, onInterface: true, what: 'address' }, context);
  return address;
}

/** As readPrefixed, but a prefix that is no good is taken for the longest, with a warning. */
function readWithPrefix(word: Word, context: PlanContext): ReturnType<typeof readPrefixed> {
  const parsed = readPrefixed(word.text);
  const bare = word.text.split('/')[0]!;
  if (parsed !== undefined || bare === word.text) return parsed;
  const address = readPrefixed(bare);
  if (address !== undefined)
    context.warn(
      'bad-value',
      word.place,
      `'${word.text.slice(bare.length)}' is not a prefix length: /${address.prefix} is used`,
    );
  return address;
}

/** An address with an optional prefix length. */
export function readPrefixed(
  text: string,
): { readonly family: IpFamily; readonly address: string; readonly prefix: number } | undefined {
  const slash = text.indexOf('/');
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined) return undefined;
  const bits = ip.family === 'ipv4' ? 32 : 128;
  if (slash < 0) return { family: ip.family, address: ip.host, prefix: bits };
  const prefix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined;
  return { family: ip.family, address: ip.host, prefix: Number(prefix) };
}

const flagWords: Readonly<
  Record<string, (address: Mutable<VirtualAddress>, word: Word, context: PlanContext) => void>
> = {
  home: (address) => {
    address.home = true;
  },
  '-nodad': (address) => {
    address.noDad = true;
  },
  nodad: (address) => {
    address.noDad = true;
  },
  mngtmpaddr: (address) => {
    address.manageTemporary = true;
  },
  noprefixroute: (address) => {
    address.noPrefixRoute = true;
  },
  autojoin: (address) => {
    address.autojoin = true;
  },
  no_track: (address) => {
    address.noTrack = true;
  },
  use_vmac: (address) => {
    address.onVmac = true;
  },
};

const valuedWords: Readonly<
  Record<string, (address: Mutable<VirtualAddress>, value: Word, context: PlanContext) => void>
> = {
  dev: (address, value, context) => {
    if (isInterfaceName(value.text)) {
      address.device = value.text;
      expectInterface(value, context);
    } else context.warn('bad-value', value.place, `'${value.text}' is no interface name: dev is left out`);
  },
  label: (address, value) => {
    address.label = value.text;
  },
  scope: (address, value, context) => {
    const number = parseInteger(value.text);
    if (scopes.has(value.text) || (number !== undefined && number >= 0 && number <= 255)) address.scope = value.text;
    else
      context.warn('bad-value', value.place, `'${value.text}' is none of ${[...scopes].join(', ')}: scope is left out`);
  },
  brd: readBroadcast,
  broadcast: readBroadcast,
  peer: (address, value, context) => {
    const peer = parseIp(value.text);
    if (peer !== undefined && peer.family === address.family) {
      const longest = address.family === 'ipv4' ? 32 : 128;
      if (address.prefix !== longest)
        context.warn(
          'conflict',
          value.place,
          `an address with peer has no prefix of its own: /${address.prefix} is ignored`,
        );
      address.peer = peer.host;
      address.prefix = longest;
    } else context.warn('bad-value', value.place, `'${value.text}' is no address of the same family: peer is left out`);
  },
  preferred_lft: (address, value, context) => {
    const number = parseInteger(value.text);
    if (value.text === 'forever') delete address.preferredLifetimeSec;
    else if (number !== undefined && number >= 0 && number < 4_294_967_295) address.preferredLifetimeSec = number;
    else
      context.warn(
        'bad-value',
        value.place,
        `'${value.text}' is neither seconds nor forever: preferred_lft is left out`,
      );
  },
};

/** `+` sets the host bits, `-` clears them (keepalived.conf(5), "Static routes/addresses/rules"). */
function readBroadcast(address: Mutable<VirtualAddress>, value: Word, context: PlanContext): void {
  if (address.family === 'ipv6') {
    context.warn('bad-value', value.place, 'IPv6 has no broadcast address: brd is left out');
    return;
  }
  if (value.text === '+' || value.text === '-') {
    if (address.prefix > 30) {
      context.warn('bad-value', value.place, `a /${address.prefix} has no broadcast address: brd is left out`);
      return;
    }
    const bytes = ipBytes(address.address)!;
    for (let bit = address.prefix; bit < 32; bit++) {
      const mask = 128 >> (bit & 7);
      bytes[bit >> 3] = value.text === '+' ? bytes[bit >> 3]! | mask : bytes[bit >> 3]! & ~mask;
    }
    address.broadcast = formatIp(bytes);
    return;
  }
  const ip = parseIp(value.text);
  if (ip?.family === 'ipv4') address.broadcast = ip.host;
  else context.warn('bad-value', value.place, `'${value.text}' is no IPv4 address: brd is left out`);
}

/** As in Keepalived, one that is not there is refused unless the file says that interfaces come and go. */
export function expectInterface(name: Word, context: PlanContext): void {
  const { interfaces } = context.world;
  if (interfaces === undefined || interfaces.has(name.text) || has(context.global, 'dynamic_interfaces')) return;
  context.alert(
    'unresolvable',
    name.place,
    `there is no interface '${name.text}'`,
    'write dynamic_interfaces in global_defs if it comes later',
  );
}

/** Linux: 1 to 15 bytes without blanks and slashes. */
export function isInterfaceName(text: string): boolean {
  return /^[^\s/]{1,15}$/.test(text) && text !== '.' && text !== '..';
}
