/**
 * Addresses as values. Parsing and printing are pure, so that config, plan, core and engine need no resolver and no `node:net`.
 * (Functions for parsing and formatting stand below the types.)
 */

export type IpFamily = 'ipv4' | 'ipv6';

/** Where a stream can go to or come from. */
export type SocketAddress = InetAddress | UnixAddress;

export interface InetAddress {
  readonly family: IpFamily;
  /** Canonical text: dotted quad, or RFC 5952. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

export interface UnixAddress {
  readonly family: 'unix';
  /** File path; starts with a NUL character for Linux's abstract names. */
  readonly path: string;
}

/** An IP address without a port: its family and canonical text. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly host: string;
}

/** Dotted quad of four decimal numbers 0..255 without leading zeros (RFC 6943 §3.1.1 warns of octal); undefined otherwise. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index++) {
    const part = parts[index]!;
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

/** The text forms of RFC 4291 §2.2 (without a zone): 16 bytes, or undefined. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = ipv6Groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? ipv6Groups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of one side of `::`; a dotted quad may stand last (RFC 4291 §2.2, form 3). */
function ipv6Groups(text: string, quadAllowed: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = quadAllowed && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      groups.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups.length <= 8 ? groups : undefined;
}

/** An IPv4 or IPv6 address in any valid form, in canonical text; undefined when `text` is neither. */
export function parseIp(text: string): IpAddress | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) return { family: 'ipv4', host: formatIp(four) };
  const six = text.includes(':') ? parseIpv6(text) : undefined;
  return six === undefined ? undefined : { family: 'ipv6', host: formatIp(six) };
}

/** The bytes of an address in canonical text: 4 or 16. Undefined when it is no IP address. */
export function ipBytes(host: string): Uint8Array | undefined {
  return parseIpv4(host) ?? (host.includes(':') ? parseIpv6(host) : undefined);
}

/** 4 bytes as a dotted quad, 16 bytes as RFC 5952 §4 and §5 want them (an IPv4-mapped address ends in a dotted quad). */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push((bytes[index]! << 8) | bytes[index + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join('.')}`;
  // RFC 5952 §4.2: the longest run of two or more zero groups becomes '::', the first one on a tie.
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > runLength) {
      runStart = start;
      runLength = end - start;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (runStart < 0) return hex.join(':');
  return `${hex.slice(0, runStart).join(':')}::${hex.slice(runStart + runLength).join(':')}`;
}

/** A network: its base address (host bits cleared) and prefix length. */
export interface IpPrefix {
  readonly family: IpFamily;
  readonly network: string;
  readonly prefix: number;
}

/**
 * `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `fe80::/10`; without a slash the whole address.
 * Undefined when the address or the prefix is no good, or the mask has holes.
 */
export function parsePrefix(text: string): IpPrefix | undefined {
  const [addressText, maskText, ...rest] = text.split('/');
  const bytes = ipBytes(addressText ?? '');
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = bytes.length * 8;
  const prefix = maskText === undefined ? bits : prefixLength(maskText, bits);
  if (prefix === undefined) return undefined;
  const network = bytes.map((byte, index) => byte & prefixMask(prefix, index));
  return { family: bits === 32 ? 'ipv4' : 'ipv6', network: formatIp(network), prefix };
}

function prefixLength(text: string, bits: number): number | undefined {
  if (/^[0-9]{1,3}$/.test(text)) return Number(text) <= bits ? Number(text) : undefined;
  const mask = ipBytes(text);
  if (mask === undefined || mask.length * 8 !== bits) return undefined;
  const digits = Array.from(mask, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(digits) ? digits.replaceAll('0', '').length : undefined;
}

/** The mask byte at `index` of a prefix of that length. */
function prefixMask(prefix: number, index: number): number {
  const left = Math.min(8, Math.max(0, prefix - index * 8));
  return (0xff << (8 - left)) & 0xff;
}

/** True when the address lies in the network. Families must agree; an IPv4-mapped IPv6 address counts as IPv4. */
export function prefixContains(network: IpPrefix, host: string): boolean {
  const mapped = /^::ffff:([0-9.]+)$/.exec(host);
  const bytes = ipBytes(network.family === 'ipv4' && mapped !== null ? mapped[1]! : host);
  const base = ipBytes(network.network)!;
  if (bytes === undefined || bytes.length !== base.length) return false;
  return base.every((byte, index) => byte === (bytes[index]! & prefixMask(network.prefix, index)));
}

/** As operators read it: `10.0.0.1:80`, `[::1]:80`, a unix socket's path (`abns@name` for an abstract one). */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.family === 'unix') return address.path.startsWith('\0') ? `abns@${address.path.slice(1)}` : address.path;
  return address.family === 'ipv6' ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
