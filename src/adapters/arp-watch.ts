/**
 * The AddressClaims port: hears ARP and neighbour discovery on a link, and only what concerns the addresses that are watched, whatever else
 * the network shouts: the kernel filters.
 */
import { ipBytes } from '../core/address.ts';
import { claimOf } from '../core/vrrp/claims.ts';
import type { AddressClaims } from '../engine/ports/packets.ts';
import { bpf, type Instruction, openTap } from './packet-tap.ts';

const etherTypeArp = 0x0806;
const etherTypeIpv6 = 0x86dd;
const arpSender = 28;
const ipv6NextHeader = 20;
const icmpType = 54;
/** The last word of the target address tells virtual addresses apart well enough; the rest is compared on reading. */
const neighbourTargetEnd = 74;
/** Jumps reach 255 instructions; beyond, everything of the kind is read. */
const comparedMax = 200;

export const arpWatch: AddressClaims = {
  watch(interfaceIndex, addresses, claimed) {
    const wanted = new Set(addresses);
    const opened: { close(): void }[] = [];
    const close = () => {
      for (const each of opened.splice(0)) each.close();
    };
    for (const [family, etherType, filter] of [
      ['ipv4', etherTypeArp, arpFilter],
      ['ipv6', etherTypeIpv6, neighbourFilter],
    ] as const) {
      const words = addresses.filter((address) => address.includes(':') === (family === 'ipv6')).map(lastWord);
      if (words.length === 0) continue;
      const tap = openTap(
        { interfaceIndex, etherType, from: 'frame', filter: filter(words), groups: [] },
        ({ bytes }) => {
          const claim = claimOf(bytes);
          if (claim !== undefined && wanted.has(claim.address)) claimed(claim.address, claim.hardwareAddress);
        },
      );
      if ('failure' in tap) {
        close();
        return tap;
      }
      opened.push(tap);
    }
    return { close };
  },
};

function arpFilter(words: readonly number[]): Instruction[] {
  return [bpf.loadWord(arpSender), ...anyOf(words)];
}

function neighbourFilter(words: readonly number[]): Instruction[] {
  return [
    bpf.loadByte(ipv6NextHeader),
    bpf.ifEqual(58, 1, 0),
    bpf.refuse,
    bpf.loadByte(icmpType),
    bpf.ifEqual(136, 2, 0),
    bpf.ifEqual(135, 1, 0),
    bpf.refuse,
    bpf.loadWord(neighbourTargetEnd),
    ...anyOf(words),
  ];
}

function anyOf(words: readonly number[]): Instruction[] {
  const different = [...new Set(words)];
  if (different.length > comparedMax) return [bpf.accept];
  // From each comparison past the others and the refusal.
  return [...different.map((word, index) => bpf.ifEqual(word, different.length - index, 0)), bpf.refuse, bpf.accept];
}

function lastWord(address: string): number {
  const bytes = ipBytes(address) ?? new Uint8Array(4);
  return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0);
}
