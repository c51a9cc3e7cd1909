/** Socket addresses in Linux's form (`struct sockaddr_in`, `_in6`, `_un`), both ways. */
import { formatIp, ipBytes, type SocketAddress, type UnixAddress } from '../core/address.ts';
import { linux } from './libc.ts';

/** Room for the longest of them, `sockaddr_un`, as `struct sockaddr_storage` has it. */
export const sockaddrBytesMax = 128;
/** `sun_path`; a file path needs a NUL after it, an abstract name doesn't. */
const unixPathBytesMax = 108;

/** @returns the bytes, or undefined when the text is no address or the path is too long. */
export function encodeSockaddr(address: SocketAddress): Uint8Array | undefined {
  if (address.family === 'unix') return encodeUnix(address);
  const host = ipBytes(address.host);
  const ipv4 = address.family === 'ipv4';
  if (host?.length !== (ipv4 ? 4 : 16)) return undefined;
  const bytes = new Uint8Array(ipv4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ipv4 ? linux.AF_INET : linux.AF_INET6, true);
  view.setUint16(2, address.port);
  bytes.set(host, ipv4 ? 4 : 8);
  return bytes;
}

function encodeUnix(address: UnixAddress): Uint8Array | undefined {
  const path = new TextEncoder().encode(address.path);
  const abstract = path[0] === 0;
  if (path.length + (abstract ? 0 : 1) > unixPathBytesMax) return undefined;
  const bytes = new Uint8Array(2 + path.length + (abstract ? 0 : 1));
  bytes[0] = linux.AF_UNIX;
  bytes.set(path, 2);
  return bytes;
}

/** An IPv4 address in IPv6's form (`::ffff:…`, a v4v6 listener) is told as IPv4. An unknown family: an empty IPv4 address. */
export function decodeSockaddr(bytes: Uint8Array, length: number): SocketAddress {
  // Once for every connection: no views.
  const port = (bytes[2]! << 8) | bytes[3]!;
  switch (length < 2 ? 0 : bytes[0]! | (bytes[1]! << 8)) {
    case linux.AF_INET:
      return { family: 'ipv4', host: ipv4Text(bytes, 4), port };
    case linux.AF_INET6:
      if (isMapped(bytes)) return { family: 'ipv4', host: ipv4Text(bytes, 20), port };
      return { family: 'ipv6', host: formatIp(bytes.subarray(8, 24)), port };
    case linux.AF_UNIX: {
      const path = new TextDecoder().decode(bytes.subarray(2, length));
      const nul = path.indexOf('\0', 1);
      return { family: 'unix', path: nul < 0 || path.startsWith('\0') ? path : path.slice(0, nul) };
    }
    default:
      return { family: 'ipv4', host: '', port: 0 };
  }
}

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 8; i < 18; i++) if (bytes[i] !== 0) return false;
  return bytes[18] === 0xff && bytes[19] === 0xff;
}
