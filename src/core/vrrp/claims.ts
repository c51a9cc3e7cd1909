/** Ethernet frames in which a station says that an address is its own: ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861). */
import { formatIp, ipBytes } from '../address.ts';

export interface Claim {
  readonly address: string;
  readonly hardwareAddress: Uint8Array;
}

const etherTypeArp = 0x0806;
const etherTypeIpv6 = 0x86dd;
const icmpv6 = 58;
const neighbourSolicitation = 135;
const neighbourAdvertisement = 136;

/** Asks who has `address` without naming a sender (RFC 5227 §2.1.1): changes no cache. `hardwareAddress` has 6 bytes. */
export function arpProbe(hardwareAddress: Uint8Array, address: string): Uint8Array {
  const frame = new Uint8Array(42);
  frame.fill(0xff, 0, 6);
  frame.set(hardwareAddress, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1], 12);
  frame.set(hardwareAddress, 22);
  frame.set(ipBytes(address) ?? new Uint8Array(4), 38);
  return frame;
}

/**
 * The claim that a whole Ethernet frame makes, or undefined when it makes none. In ARP the sender's protocol address, in requests as in
 * replies; the target of a neighbour advertisement; and the target of a solicitation from the unspecified address, by which a host
 * that is about to use it looks for others (RFC 4862 §5.4.3).
 */
export function claimOf(frame: Uint8Array): Claim | undefined {
  if (frame.length < 42) return undefined;
  const etherType = (frame[12] << 8) | frame[13];
  if (etherType === etherTypeArp) return arpClaim(frame);
  return etherType === etherTypeIpv6 ? neighbourClaim(frame) : undefined;
}

function arpClaim(frame: Uint8Array): Claim | undefined {
  const ethernetAndIpv4 = frame[14] === 0 && frame[15] === 1 && frame[16] === 8 && frame[17] === 0;
  if (!ethernetAndIpv4 || frame[18] !== 6 || frame[19] !== 4) return undefined;
  const sender = frame.subarray(28, 32);
  if (sender.every((byte) => byte === 0)) return undefined;
  return { address: formatIp(sender), hardwareAddress: frame.slice(22, 28) };
}

function neighbourClaim(frame: Uint8Array): Claim | undefined {
  if (frame.length < 78 || frame[20] !== icmpv6 || frame[21] !== 255) return undefined;
  const type = frame[54];
  const unspecified = frame.subarray(22, 38).every((byte) => byte === 0);
  if (type !== neighbourAdvertisement && !(type === neighbourSolicitation && unspecified)) return undefined;
  return { address: formatIp(frame.subarray(62, 78)), hardwareAddress: frame.slice(6, 12) };
}

/** Six octets with colons. */
export function formatHardwareAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
