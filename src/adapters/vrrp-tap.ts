/** Every VRRP message on an interface, sent or received, as it passes the wire: before any firewall rule, and whoever it is meant for. */
import { formatIp } from '../core/address.ts';
import type { ReceivedPacket } from '../engine/ports/packets.ts';
import { bpf, type Instruction, openTap } from './packet-tap.ts';

const etherTypeAll = 0x0003;
const vrrp = 112;
const authenticationHeader = 51;
/** Ethernet's addresses of 224.0.0.18 and ff02::12. */
const groups = [
  [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12],
  [0x33, 0x33, 0x00, 0x00, 0x00, 0x12],
];

export interface TappedAdvertisement extends ReceivedPacket {
  readonly outgoing: boolean;
  /** 112, or 51 with an authentication header. */
  readonly protocol: number;
}

/** IPv4 with protocol 112 or 51, IPv6 with next header 112. */
const filter: readonly Instruction[] = [
  bpf.loadByte(0),
  bpf.shiftRight(4),
  bpf.ifEqual(4, 0, 3),
  bpf.loadByte(9),
  bpf.ifEqual(vrrp, 5, 0),
  bpf.ifEqual(authenticationHeader, 4, 3),
  bpf.ifEqual(6, 0, 2),
  bpf.loadByte(6),
  bpf.ifEqual(vrrp, 1, 0),
  bpf.refuse,
  bpf.accept,
];

/** @returns the failure's name ('EPERM') when it can't be had. */
export function openVrrpTap(
  interfaceIndex: number,
  received: (advertisement: TappedAdvertisement) => void,
): { close(): void } | { readonly failure: string } {
  return openTap({ interfaceIndex, etherType: etherTypeAll, from: 'packet', filter, groups }, ({ bytes, outgoing }) => {
    const packet = bytes[0] >> 4 === 4 ? ipv4(bytes, interfaceIndex) : ipv6(bytes, interfaceIndex);
    if (packet !== undefined) received({ ...packet, outgoing });
  });
}

/** What follows the length in the header is the link's padding. */
function ipv4(bytes: Uint8Array, interfaceIndex: number) {
  const headerBytes = (bytes[0] & 15) * 4;
  const end = Math.min(bytes.length, (bytes[2] << 8) | bytes[3]);
  if (headerBytes < 20 || end < headerBytes) return undefined;
  return {
    interfaceIndex,
    family: 'ipv4' as const,
    source: formatIp(bytes.subarray(12, 16)),
    destination: formatIp(bytes.subarray(16, 20)),
    ttl: bytes[8],
    identification: (bytes[4] << 8) | bytes[5],
    protocol: bytes[9],
    payload: bytes.subarray(headerBytes, end),
  };
}

function ipv6(bytes: Uint8Array, interfaceIndex: number) {
  if (bytes.length < 40) return undefined;
  const end = Math.min(bytes.length, 40 + ((bytes[4] << 8) | bytes[5]));
  return {
    interfaceIndex,
    family: 'ipv6' as const,
    source: formatIp(bytes.subarray(8, 24)),
    destination: formatIp(bytes.subarray(24, 40)),
    ttl: bytes[7],
    identification: 0,
    protocol: bytes[6],
    payload: bytes.subarray(40, end),
  };
}
