/**
 * The Internet checksum (RFC 1071), with the pseudo-headers of IPv4 and IPv6.
 *
 * Version 3 over IPv4: RFC 5798 could be read either way, Keepalived includes the pseudo-header by default, RFC 9568 §5.2.8 (like Cisco and
 * Juniper) does not. A sender chooses, a receiver takes both.
 */

import { ipBytes } from '../address.ts';

/** Protocol number of VRRP. */
const vrrpProtocol = 112;

/** The ones' complement sum of [start, end), not yet complemented; continue with `sum`. An odd last byte counts as high byte. */
export function onesSum(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) sum += bytes[at]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** The sum of the pseudo-header (RFC 793 §3.1; RFC 8200 §8.1). Both addresses in canonical text and of one family, or the answer is 0. */
export function pseudoHeaderSum(source: string, destination: string, length: number): number {
  const from = ipBytes(source);
  const to = ipBytes(destination);
  if (from === undefined || to === undefined) return 0;
  const addresses = onesSum(to, 0, to.length, onesSum(from, 0, from.length));
  return onesSum(Uint8Array.of(0, vrrpProtocol, length >> 8, length & 255), 0, 4, addresses);
}

/** What goes into the checksum field, when the field itself was summed as zero. */
export function complement(sum: number): number {
  return ~sum & 0xffff;
}
