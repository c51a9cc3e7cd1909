/**
 * The frames that tell the network where an address lives now: gratuitous ARP (RFC 5227 §3) and the unsolicited neighbour advertisement
 * (RFC 4861 §7.2.6), whole with their Ethernet headers, as Keepalived sends them.
 */

import { ipBytes } from '../address.ts';
import { complement, onesSum } from './checksum.ts';

/** Broadcast ARP request, sender = target = the address, target hardware address all ones. `hardwareAddress` has 6 bytes. */
export function gratuitousArp(hardwareAddress: Uint8Array, address: string): Uint8Array {
  const frame = new Uint8Array(42);
  const ip = ipBytes(address) ?? new Uint8Array(4);
  frame.fill(0xff, 0, 6);
  frame.set(hardwareAddress, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1], 12);
  frame.set(hardwareAddress, 22);
  frame.set(ip, 28);
  frame.fill(0xff, 32, 38);
  frame.set(ip, 38);
  return frame;
}

const allNodes = 'ff02::1';
const icmpv6 = 58;
const neighbourAdvertisement = 136;

/** To all nodes, from the address itself, override set. `router`: this host forwards IPv6 (RFC 4861 §4.4 R flag). */
export function unsolicitedNeighbourAdvertisement(
  hardwareAddress: Uint8Array,
  address: string,
  router: boolean,
): Uint8Array {
  const frame = new Uint8Array(14 + 40 + 32);
  const ip = ipBytes(address) ?? new Uint8Array(16);
  frame.set([0x33, 0x33, 0, 0, 0, 1], 0);
  frame.set(hardwareAddress, 6);
  frame.set([0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, icmpv6, 255], 12);
  frame.set(ip, 22);
  frame.set(ipBytes(allNodes)!, 38);
  frame.set([neighbourAdvertisement, 0, 0, 0, 0x20 | (router ? 0x80 : 0)], 54);
  frame.set(ip, 62);
  frame.set([2, 1], 78);
  frame.set(hardwareAddress, 80);
  const pseudoHeader = onesSum(Uint8Array.of(0, 32, 0, icmpv6), 0, 4, onesSum(frame, 22, 54));
  const checksum = complement(onesSum(frame, 54, 86, pseudoHeader));
  frame[56] = checksum >> 8;
  frame[57] = checksum & 255;
  return frame;
}
