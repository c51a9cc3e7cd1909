/** IP addresses between text and network-order bytes, and socket addresses of raw sockets. */
import { formatIp, type IpFamily, ipBytes } from '../core/address.ts';
import { linux } from './libc.ts';

/** @returns 4 or 16 bytes, or undefined when `text` is not an address of that family. */
export function addressToBytes(family: IpFamily, text: string): Uint8Array | undefined {
  const bytes = ipBytes(text);
  return bytes?.length === (family === 'ipv4' ? 4 : 16) ? bytes : undefined;
}

/** Canonical text of 4 or 16 bytes. */
export function addressToText(bytes: Uint8Array): string {
  return formatIp(bytes);
}

export function familyNumber(family: IpFamily): number {
  return family === 'ipv4' ? linux.AF_INET : linux.AF_INET6;
}

/** sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)). `scopeId` is the interface of a link-local address. */
export function socketAddress(family: IpFamily, address: string, scopeId: number): Uint8Array | undefined {
  const host = addressToBytes(family, address);
  if (host === undefined) return undefined;
  const bytes = new Uint8Array(family === 'ipv4' ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, familyNumber(family), true);
  bytes.set(host, family === 'ipv4' ? 4 : 8);
  if (family === 'ipv6') view.setUint32(24, scopeId, true);
  return bytes;
}
