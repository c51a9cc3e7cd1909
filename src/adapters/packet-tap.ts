/**
 * Packet sockets (packet(7)) with a filter in the kernel (socket filter, Documentation/networking/filter.rst), so that nothing wakes us but what
 * we want to see. They see frames before any firewall rule does.
 */
import { errno, errorName, libc, linux, type Pointer, stableBytes } from './libc.ts';
import { viewOf } from './netlink-message.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';

const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_MULTICAST = 0;
const PACKET_OUTGOING = 4;
const instructionBytes = 8;
const programBytesMax = 4_096;
/** Longest packet that is of interest: VRRP with 255 IPv6 addresses. */
const packetBytesMax = 4_200;
/** Read at a time; what a flood brings beyond is dropped unread. */
const packetsAtATime = 64;

/** One instruction: code, jump if true, jump if false, operand. */
export type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

export const bpf = {
  loadByte: (at: number): Instruction => [0x30, 0, 0, at],
  loadWord: (at: number): Instruction => [0x20, 0, 0, at],
  shiftRight: (bits: number): Instruction => [0x74, 0, 0, bits],
  /** Skips so many instructions, depending on whether the loaded value equals `operand`. */
  ifEqual: (operand: number, whenTrue: number, whenFalse: number): Instruction => [0x15, whenTrue, whenFalse, operand],
  accept: [0x06, 0, 0, 0xffff] as Instruction,
  refuse: [0x06, 0, 0, 0] as Instruction,
} as const;

export interface TapOptions {
  readonly interfaceIndex: number;
  /** 0x0003 sees everything, also what this host sends. */
  readonly etherType: number;
  /** `frame`: with the Ethernet header. `packet`: from the IP header on, whatever the link is. */
  readonly from: 'frame' | 'packet';
  readonly filter: readonly Instruction[];
  /** Hardware addresses of groups that the card must let through. */
  readonly groups: readonly (readonly number[])[];
}

export interface TappedPacket {
  /** A copy. */
  readonly bytes: Uint8Array;
  /** This host sent it. */
  readonly outgoing: boolean;
}

/** @returns the failure's name ('EPERM') when it can't be had. */
export function openTap(
  options: TapOptions,
  received: (packet: TappedPacket) => void,
): { close(): void } | { readonly failure: string } {
  const c = libc();
  if (c === undefined) return { failure: 'ENOSYS' };
  const kind = options.from === 'frame' ? linux.SOCK_RAW : linux.SOCK_DGRAM;
  // Protocol 0 hears nothing until it is bound: the filter is in place before the first packet.
  const fd = c.socket(linux.AF_PACKET, kind | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
  if (fd < 0) return { failure: errorName(errno()) };
  const failed = () => {
    const failure = errorName(errno());
    c.close(fd);
    return { failure };
  };
  const program = filterProgram(options.filter);
  if (c.setsockopt(fd, linux.SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) < 0) return failed();
  for (const group of options.groups) {
    const membership = packetMembership(options.interfaceIndex, group);
    c.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, membership.length);
  }
  const address = linkAddress(options);
  if (c.bind(fd, address, address.length) < 0) return failed();

  const buffer = new Uint8Array(packetBytesMax);
  const from = new Uint8Array(20);
  const read = () => {
    for (let count = 0; ; count++) {
      const length = c.recvfrom(fd, buffer, buffer.length, linux.MSG_DONTWAIT, from, Uint8Array.of(20, 0, 0, 0));
      if (length < 0 && errno() === linux.EINTR) continue;
      if (length < 0) return;
      if (count < packetsAtATime) received({ bytes: buffer.slice(0, length), outgoing: from[10] === PACKET_OUTGOING });
    }
  };
  const failure = watchDescriptor(fd, read);
  if (failure !== undefined) {
    c.close(fd);
    return { failure };
  }
  let open = true;
  return {
    close() {
      if (!open) return;
      open = false;
      unwatchDescriptor(fd);
      c.close(fd);
    },
  };
}

let programMemory: { readonly bytes: Uint8Array; readonly address: Pointer } | undefined;

/** struct sock_fprog; the kernel copies the program during the call, so one place in memory serves all. */
function filterProgram(filter: readonly Instruction[]): Uint8Array {
  programMemory ??= stableBytes(programBytesMax);
  const { bytes, address } = programMemory;
  if (filter.length * instructionBytes > programBytesMax) throw new Error(`filter of ${filter.length} instructions`);
  const view = viewOf(bytes);
  for (const [index, [code, whenTrue, whenFalse, operand]] of filter.entries()) {
    const at = index * instructionBytes;
    view.setUint16(at, code, true);
    bytes[at + 2] = whenTrue;
    bytes[at + 3] = whenFalse;
    view.setUint32(at + 4, operand, true);
  }
  const program = new Uint8Array(16);
  viewOf(program).setUint16(0, filter.length, true);
  viewOf(program).setBigUint64(8, BigInt(address), true);
  return program;
}

/** struct sockaddr_ll. */
function linkAddress({ interfaceIndex, etherType }: TapOptions): Uint8Array {
  const bytes = new Uint8Array(20);
  viewOf(bytes).setUint16(0, linux.AF_PACKET, true);
  viewOf(bytes).setUint16(2, etherType);
  viewOf(bytes).setInt32(4, interfaceIndex, true);
  return bytes;
}

/** struct packet_mreq. */
function packetMembership(interfaceIndex: number, hardwareAddress: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16);
  viewOf(bytes).setInt32(0, interfaceIndex, true);
  viewOf(bytes).setUint16(4, PACKET_MR_MULTICAST, true);
  viewOf(bytes).setUint16(6, hardwareAddress.length, true);
  bytes.set(hardwareAddress, 8);
  return bytes;
}
