/**
 * VRRP messages as bytes: RFC 3768 §5.1 (version 2), RFC 9568 §5.2 (version 3). Without the IP header, which is the sender's and the
 * kernel's affair. Reading never throws: what is wrong with a message is a value.
 *
 * Both versions:  version<<4|type  virtual-router-id  priority  address-count
 * Version 2:      authentication-type  interval (s)   checksum  addresses…  8 bytes of authentication (IPv4 only)
 * Version 3:      interval (12 bits, 10 ms)           checksum  addresses…
 */

import type { IpFamily } from '../address.ts';
import { formatIp, ipBytes } from '../address.ts';
import { complement, onesSum, pseudoHeaderSum } from './checksum.ts';
import { version2IntervalMsMax, version3IntervalMsMax } from './intervals.ts';
import type { VirtualRouterSettings, VrrpAuthentication } from './settings.ts';

export const headerBytes = 8;
export const authenticationBytes = 8;
export const advertisementType = 1;
/** RFC 3768 §5.3.6 and RFC 2338: the numbers on the wire. */
export const authenticationTypes: Readonly<Record<VrrpAuthentication['kind'], number>> = { none: 0, pass: 1, ah: 2 };

/** RFC 3768 §5.2.2, RFC 9568 §5.1.2.2. */
export const multicastGroups = { ipv4: '224.0.0.18', ipv6: 'ff02::12' } as const;

export interface Advertisement {
  readonly version: number;
  readonly type: number;
  readonly virtualRouterId: number;
  readonly priority: number;
  readonly advertisementIntervalMs: number;
  readonly addresses: readonly string[];
  /** Version 2: the type's number, and its 8 bytes (empty over IPv6). Version 3: 0 and empty. */
  readonly authenticationType: number;
  readonly authentication: Uint8Array;
  /** Bytes that belong to the message; what follows is padding. */
  readonly length: number;
}

/** Which of the habits the checksum follows; undefined: none, the message is damaged. */
export type ChecksumForm = 'pseudo-header' | 'plain' | 'group-pseudo-header';

export interface Envelope {
  /** Addresses of the IP header, canonical text. */
  readonly source: string;
  readonly destination: string;
}

/**
 * The bytes of an advertisement with that priority (0 = resigning). The authentication header (`ah`) is put around it by ah.ts.
 * Excluded addresses are not advertised; more than 255 addresses are cut, as the count has 8 bits (plan moves them to the excluded ones).
 */
export function encodeAdvertisement(settings: VirtualRouterSettings, priority: number, envelope: Envelope): Uint8Array {
  const addresses = settings.addresses.slice(0, 255);
  const size = settings.family === 'ipv4' ? 4 : 16;
  const withAuthentication = settings.version === 2 && settings.family === 'ipv4';
  const addressesEnd = headerBytes + addresses.length * size;
  const bytes = new Uint8Array(addressesEnd + (withAuthentication ? authenticationBytes : 0));
  bytes[0] = (settings.version << 4) | advertisementType;
  bytes[1] = settings.virtualRouterId;
  bytes[2] = priority;
  bytes[3] = addresses.length;
  writeInterval(bytes, settings);
  let at = headerBytes;
  for (const { address } of addresses) {
    bytes.set(ipBytes(address) ?? new Uint8Array(size), at);
    at += size;
  }
  if (withAuthentication && settings.authentication.kind === 'pass')
    bytes.set(passwordBytes(settings.authentication.password), addressesEnd);
  const pseudoHeader = settings.family === 'ipv6' || (settings.version === 3 && !settings.checksumAsV2);
  const start = pseudoHeader ? pseudoHeaderSum(envelope.source, envelope.destination, bytes.length) : 0;
  const checksum = complement(onesSum(bytes, 0, bytes.length, start));
  bytes[6] = checksum >> 8;
  bytes[7] = checksum & 255;
  return bytes;
}

function writeInterval(bytes: Uint8Array, settings: VirtualRouterSettings): void {
  const { version, advertisementIntervalMs } = settings;
  if (version === 2) {
    bytes[4] = authenticationTypes[settings.authentication.kind];
    bytes[5] = Math.round(Math.min(advertisementIntervalMs, version2IntervalMsMax) / 1000);
  } else {
    const centiseconds = Math.max(1, Math.round(Math.min(advertisementIntervalMs, version3IntervalMsMax) / 10));
    bytes[4] = centiseconds >> 8;
    bytes[5] = centiseconds & 255;
  }
}

/** Eight bytes, cut or filled with zeros: a longer password counts only so far (keepalived.conf(5) auth_pass). */
export function passwordBytes(password: string): Uint8Array {
  const bytes = new Uint8Array(authenticationBytes);
  bytes.set(new TextEncoder().encode(password).subarray(0, authenticationBytes));
  return bytes;
}

/** The message's fields, or undefined when it is shorter than it says itself. Nothing else is judged here. */
export function decodeAdvertisement(bytes: Uint8Array, family: IpFamily): Advertisement | undefined {
  if (bytes.length < headerBytes) return undefined;
  const version = bytes[0]! >> 4;
  const size = family === 'ipv4' ? 4 : 16;
  const addressesEnd = headerBytes + bytes[3]! * size;
  const length = addressesEnd + (version === 2 && family === 'ipv4' ? authenticationBytes : 0);
  if (bytes.length < length) return undefined;
  const addresses: string[] = [];
  for (let at = headerBytes; at < addressesEnd; at += size) addresses.push(formatIp(bytes.subarray(at, at + size)));
  return {
    version,
    type: bytes[0]! & 15,
    virtualRouterId: bytes[1]!,
    priority: bytes[2]!,
    advertisementIntervalMs: version === 2 ? bytes[5]! * 1000 : (((bytes[4]! & 15) << 8) | bytes[5]!) * 10,
    addresses,
    authenticationType: version === 2 ? bytes[4]! : 0,
    authentication: bytes.subarray(addressesEnd, length),
    length,
  };
}

/** The virtual router a message is for, to choose the machine; undefined when it is too short to say. */
export function virtualRouterIdOf(bytes: Uint8Array): number | undefined {
  return bytes.length < headerBytes ? undefined : bytes[1]!;
}

/**
 * Which form of checksum the message carries. `group` is the multicast group: Keepalived before 1.3.7 put it into the pseudo-header of
 * unicast messages too.
 */
export function checksumForm(
  bytes: Uint8Array,
  advertisement: Advertisement,
  family: IpFamily,
  envelope: Envelope,
  group: string,
): ChecksumForm | undefined {
  const { length, version } = advertisement;
  const message = onesSum(bytes, 0, length);
  const valid = (sum: number): boolean => onesSum(bytes, 0, 0, message + sum) === 0xffff;
  if (version === 2 && family === 'ipv4') return valid(0) ? 'plain' : undefined;
  if (valid(pseudoHeaderSum(envelope.source, envelope.destination, length))) return 'pseudo-header';
  if (family === 'ipv6') return undefined;
  if (valid(0)) return 'plain';
  return valid(pseudoHeaderSum(envelope.source, group, length)) ? 'group-pseudo-header' : undefined;
}
