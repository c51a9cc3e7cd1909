/** The addresses of an instance, and the family that they and the other words give it. */

import { type Entry, has, linesOf, nameOf } from '../config/keepalived/config.ts';
import { type IpFamily, parseIp } from '../core/address.ts';
import type { VirtualAddress } from '../core/vrrp/settings.ts';
import { readAddress } from './vrrp-addresses.ts';
import { type PlanContext, warnInstance } from './vrrp-context.ts';

export function buildAddresses(entry: Entry, context: PlanContext) {
  const { entries } = entry;
  const readAll = (word: string) =>
    linesOf(entries, word).flatMap((line) => {
      const address = readAddress(line, context);
      return address === undefined ? [] : [{ address, place: line[0]!.place }];
    });
  const advertised = readAll('virtual_ipaddress');
  const family = firstFamily(entries);
  if (family === 'ipv4' && has(entries, 'native_ipv6'))
    warnInstance(
      entry,
      'native_ipv6',
      'conflict',
      'native_ipv6 does not go with IPv4 addresses: it is ignored',
      context,
    );
  const addresses: VirtualAddress[] = [];
  for (const { address, place } of advertised) {
    if (address.family === family) addresses.push(address);
    else
      context.warn(
        'conflict',
        place,
        `(${nameOf(entry)}) ${address.address} is not of the instance's family: it is left out`,
        'write it in virtual_ipaddress_excluded, or in a vrrp_instance of its own',
      );
  }
  const excludedAddresses = readAll('virtual_ipaddress_excluded').map((each) => each.address);
  return { family, ...fit(entry, addresses, excludedAddresses, context) } as const;
}

/** Whatever is written first decides the family: an address, a peer, a source, a group or native_ipv6. */
function firstFamily(entries: readonly Entry[]): IpFamily {
  for (const entry of entries) {
    const { word } = entry.keyword;
    if (word === 'native_ipv6') return 'ipv6';
    const texts =
      word === 'virtual_ipaddress' || word === 'unicast_peer'
        ? entry.lines.map((line) => line[0]!.text)
        : word === 'mcast_src_ip' || word === 'unicast_src_ip' || word === 'mcast_dst_ip'
          ? [entry.arguments[0]!.text]
          : [];
    for (const text of texts) {
      const ip = parseIp(text.split('/')[0]!);
      if (ip !== undefined) return ip.family;
    }
  }
  return 'ipv4';
}

/**
 * An advertisement counts up to 255 addresses; of IPv6 as many as Keepalived puts into 1500 bytes: (1500 - 14 - 40 - 8) / 16, with the
 * Ethernet header, although that doesn't count. One more would fit, and every Keepalived before 2.3.3 would drop the longer list.
 */
const addressesMax = { ipv4: 255, ipv6: 89 } as const;

function fit(
  entry: Entry,
  addresses: readonly VirtualAddress[],
  excluded: readonly VirtualAddress[],
  context: PlanContext,
) {
  const max = addressesMax[addresses[0]?.family ?? 'ipv4'];
  if (addresses.length <= max) return { addresses, excludedAddresses: excluded };
  const message = `${addresses.length} addresses do not fit in an advertisement: those after the first ${max} are treated as excluded`;
  warnInstance(entry, 'virtual_ipaddress', 'bad-value', message, context);
  return { addresses: addresses.slice(0, max), excludedAddresses: [...addresses.slice(max), ...excluded] };
}

/** Version 3 needs an address (RFC 9568 §5.2.5), and so does strict mode; Keepalived 2.3's no_virtual_ipaddress says that none is meant. */
export function checkAddresses(
  entry: Entry,
  addresses: readonly VirtualAddress[],
  given: { readonly strict: boolean; readonly version: 2 | 3 },
  context: PlanContext,
): void {
  const first = addresses[0];
  const meant = has(entry.entries, 'no_virtual_ipaddress') && !given.strict;
  if (first === undefined && !meant) {
    if (given.version === 3)
      context.alert('incomplete', entry.place, `(${nameOf(entry)}) no address: VRRP version 3 needs one`);
    else
      warnInstance(
        entry,
        'virtual_ipaddress',
        'incomplete',
        `no address: at least one is ${given.strict ? 'required' : 'sensible'}`,
        context,
      );
  } else if (first?.family === 'ipv6' && !/^fe[89ab]/.test(first.address))
    warnInstance(
      entry,
      'virtual_ipaddress',
      'risky',
      'the first IPv6 address should be link-local (RFC 9568 §5.2.9)',
      context,
    );
}
