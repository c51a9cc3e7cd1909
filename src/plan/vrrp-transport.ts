/** How an instance's advertisements travel: multicast or unicast, from which address, to whom. */

import { booleanOf, type Entry, has, lastOf, linesOf, nameOf, numberOf } from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import { parseInteger } from '../config/keepalived/values.ts';
import { type IpAddress, type IpFamily, parseIp } from '../core/address.ts';
import type { UnicastPeer, VrrpTransport } from '../core/vrrp/settings.ts';
import type { PlanContext } from './vrrp-context.ts';

export function buildTransport(entry: Entry, family: IpFamily, context: PlanContext): VrrpTransport {
  const { entries } = entry;
  const name = nameOf(entry);
  let source: string | undefined;
  const given = sourceOf(entries);
  const word = sourceEntry(entries)?.arguments[0];
  if (given === undefined && word !== undefined)
    context.warn('bad-value', word.place, `(${name}) '${word.text}' is not an IP address: it is ignored`);
  if (given !== undefined) {
    if (given.family === family) source = given.host;
    else
      context.warn(
        'conflict',
        sourceEntry(entries)!.place,
        `(${name}) ${given.host} is not of the instance's family: it is ignored`,
      );
  }
  const seen = new Set<string>();
  const peers = linesOf(entries, 'unicast_peer').flatMap((line) =>
    readPeer(line, name, family, context).filter(({ address }) => {
      if (!seen.has(address)) return seen.add(address);
      const message = `(${name}) the peer '${address}' is there already: this line is left out`;
      context.warn('duplicate', line[0]!.place, message);
      return false;
    }),
  );
  const unicastWord = ['unicast_src_ip', 'unicast_peer', 'unicast_ttl', 'unicast_fault_no_peer'].find((word) =>
    has(entries, word),
  );
  if (peers.length === 0 && !has(entries, 'unicast_fault_no_peer')) {
    if (unicastWord !== undefined)
      context.warn(
        'incomplete',
        lastOf(entries, unicastWord)!.place,
        `(${name}) '${unicastWord}' without any unicast_peer: multicast is used`,
        'write unicast_peer { ADDRESS }, or unicast_fault_no_peer',
      );
    return { kind: 'multicast', group: multicastGroup(entry, family, context), source };
  }
  const destination = lastOf(entries, 'mcast_dst_ip');
  if (destination !== undefined)
    context.warn('conflict', destination.place, `(${name}) mcast_dst_ip does not go with unicast: it is ignored`);
  const old = lastOf(entries, 'old_unicast_checksum');
  const checked =
    booleanOf(entries, 'check_unicast_src') ?? booleanOf(context.global, 'vrrp_check_unicast_src') ?? false;
  return {
    kind: 'unicast',
    source,
    peers,
    checkSource: checked || peers.some((peer) => peer.ttlMin !== undefined || peer.ttlMax !== undefined),
    ttl: numberOf(entries, 'unicast_ttl'),
    ...(old === undefined ? {} : { oldChecksum: old.value === 'never' ? 'never' : 'always' }),
  };
}

/** The source address that is written, good or not for the family; no diagnostics. */
export function sourceOf(entries: readonly Entry[]): IpAddress | undefined {
  const word = sourceEntry(entries)?.arguments[0];
  return word === undefined ? undefined : parseIp(word.text);
}

function sourceEntry(entries: readonly Entry[]): Entry | undefined {
  return entries
    .filter((entry) => entry.keyword.word === 'mcast_src_ip' || entry.keyword.word === 'unicast_src_ip')
    .at(-1);
}

/** `ADDRESS [min_ttl 0..255] [max_ttl 0..255]`. */
function readPeer(line: readonly Word[], name: string, family: IpFamily, context: PlanContext): UnicastPeer[] {
  const first = line[0]!;
  const ip = parseIp(first.text);
  if (ip === undefined || ip.family !== family) {
    const reason = ip === undefined ? 'is not an IP address' : "is not of the instance's family";
    context.warn('bad-value', first.place, `(${name}) the peer '${first.text}' ${reason}: it is left out`);
    return [];
  }
  const limits: { ttlMin: number | undefined; ttlMax: number | undefined } = { ttlMin: undefined, ttlMax: undefined };
  for (let index = 1; index < line.length; index++) {
    const word = line[index]!;
    if (word.text !== 'min_ttl' && word.text !== 'max_ttl') {
      context.warn(
        'unknown-word',
        word.place,
        `(${name}) '${word.text}' is neither min_ttl nor max_ttl: it is left out`,
      );
      continue;
    }
    const value = line[++index];
    const number = value === undefined ? undefined : parseInteger(value.text);
    if (number !== undefined && number >= 0 && number <= 255)
      limits[word.text === 'min_ttl' ? 'ttlMin' : 'ttlMax'] = number;
    else
      context.warn(
        'bad-value',
        (value ?? word).place,
        `(${name}) ${word.text} needs a number from 0 to 255: it is left out`,
      );
  }
  if ((limits.ttlMin ?? 0) > (limits.ttlMax ?? 255))
    context.warn(
      'risky',
      first.place,
      `(${name}) min_ttl ${limits.ttlMin} is above max_ttl ${limits.ttlMax}: every packet is discarded`,
    );
  return [{ address: ip.host, ...limits }];
}

function multicastGroup(entry: Entry, family: IpFamily, context: PlanContext): string {
  const own = lastOf(entry.entries, 'mcast_dst_ip')?.arguments[0];
  const word = family === 'ipv4' ? 'vrrp_mcast_group4' : 'vrrp_mcast_group6';
  const fallback = family === 'ipv4' ? '224.0.0.18' : 'ff02::12';
  const common = lastOf(context.global, word)?.arguments[0];
  return (own && readGroup(own, family, context)) ?? (common && readGroup(common, family, undefined)) ?? fallback;
}

/** Once, whether an instance uses them or not: the groups of global_defs. */
export function checkMulticastGroups(context: PlanContext): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const word = lastOf(context.global, `vrrp_mcast_group${family === 'ipv4' ? 4 : 6}`)?.arguments[0];
    if (word !== undefined) readGroup(word, family, context);
  }
}

function readGroup(written: Word, family: IpFamily, context: PlanContext | undefined): string | undefined {
  const ip = parseIp(written.text);
  if (ip?.family === family && isMulticast(ip)) return ip.host;
  context?.warn(
    'bad-value',
    written.place,
    `'${written.text}' is no ${family === 'ipv4' ? 'IPv4' : 'link-local IPv6'} multicast address: it is ignored`,
    `write one of ${family === 'ipv4' ? '224.0.0.0/4' : 'ff02::/16'}, or remove it: ${family === 'ipv4' ? '224.0.0.18' : 'ff02::12'} holds`,
  );
  return undefined;
}

/** IPv6: link-local groups only, as the manual asks (mcast_dst_ip: ffX2::). */
function isMulticast(ip: IpAddress): boolean {
  if (ip.family === 'ipv6') return /^ff[0-9a-f]2:/.test(ip.host);
  const first = Number(ip.host.split('.')[0]);
  return first >= 224 && first <= 239;
}
