/**
 * The Packets port on raw sockets: protocol 112 over IPv4 and IPv6, and whole Ethernet frames for gratuitous ARP and neighbour advertisements.
 *
 * Receiving and sending are two sockets, as Keepalived has it: the one that hears is bound to its interface and shared by all virtual routers
 * with the same interface, family, protocol and group; the one that speaks never hears anything (its receive buffer is the smallest), so
 * that what we send can't come back as what we heard.
 */
import type { Channel, ChannelOptions, Packets, ReceivedPacket } from '../engine/ports/packets.ts';
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import { addressToBytes, addressToText, familyNumber, socketAddress } from './address-bytes.ts';
import { errno, errorName, type Libc, linux } from './libc.ts';
import { viewOf } from './netlink-message.ts';
import { int32, requireLibc } from './netlink-socket.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';
import { eachControl, type ReceiveMessage, receiveInto, receiveMessage } from './receive-message.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_PRIORITY = 12;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_V6ONLY = 26;
const IPV6_MULTICAST_ALL = 29;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
const noProtocol = 0;

/** Internetwork Control, precedence 6: what RFC 9568's predecessors left to the sender and Keepalived sets. */
const typeOfService = 0xc0;
/** TC_PRIO_CONTROL: first out of the interface's queue. */
const queuePriority = 7;
/** What waits in a socket while the process is busy: a flood of 500 packets must not push out the one that counts. */
const receiveBufferBytes = 1_048_576;

export class RawPackets implements Packets {
  readonly #c: Libc = requireLibc();
  readonly #listeners = new Map<string, RawListener>();
  #frameSocket = -1;

  open(
    options: ChannelOptions,
    received: (packet: ReceivedPacket) => void,
  ): { readonly channel: Channel } | { readonly failure: string } {
    const key = `${options.interfaceIndex} ${options.family} ${options.protocol} ${options.group ?? 'unicast'}`;
    let listener = this.#listeners.get(key);
    if (listener === undefined) {
      const made = RawListener.open(this.#c, options);
      if (typeof made === 'string') return { failure: made };
      listener = made;
      this.#listeners.set(key, listener);
    }
    const sender = openSender(this.#c, options);
    if (typeof sender === 'string') {
      if (listener.receivers.size === 0) {
        listener.close();
        this.#listeners.delete(key);
      }
      return { failure: sender };
    }
    const shared = listener;
    shared.bufferAtLeast(options.receiveBufferBytes);
    shared.receivers.add(received);
    return {
      channel: {
        send: (payload, destination, identification) => sender.send(payload, destination, identification),
        close: () => {
          sender.close();
          shared.receivers.delete(received);
          if (shared.receivers.size > 0) return;
          shared.close();
          this.#listeners.delete(key);
        },
      },
    };
  }

  receiveWaiting(): void {
    for (const listener of [...this.#listeners.values()]) listener.read();
  }

  sendFrame(interfaceIndex: number, frame: Uint8Array): SystemFailure {
    if (this.#frameSocket < 0) {
      // Protocol 0: such a socket sends and hears nothing.
      this.#frameSocket = this.#c.socket(
        linux.AF_PACKET,
        linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC,
        noProtocol,
      );
      if (this.#frameSocket < 0) return errorName(errno());
      this.#c.setsockopt(this.#frameSocket, SOL_SOCKET, SO_PRIORITY, int32(queuePriority), 4);
    }
    // struct sockaddr_ll (packet(7)): only the interface counts for a frame that brings its own header.
    const to = new Uint8Array(20);
    viewOf(to).setUint16(0, linux.AF_PACKET, true);
    to.set(frame.subarray(12, 14), 2);
    viewOf(to).setInt32(4, interfaceIndex, true);
    to[11] = 6;
    to.set(frame.subarray(0, 6), 12);
    return this.#c.sendto(this.#frameSocket, frame, frame.length, 0, to, to.length) < 0
      ? errorName(errno())
      : undefined;
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    if (this.#frameSocket >= 0) this.#c.close(this.#frameSocket);
    this.#frameSocket = -1;
  }
}

/** The hearing side: one socket for all virtual routers of one interface, family, protocol and group. */
class RawListener {
  readonly receivers = new Set<(packet: ReceivedPacket) => void>();
  readonly #c: Libc;
  readonly #fd: number;
  readonly #options: ChannelOptions;
  readonly #message: ReceiveMessage;
  #bufferBytes = 0;

  static open(c: Libc, options: ChannelOptions): RawListener | string {
    const fd = openRaw(c, options);
    if (fd < 0) return errorName(errno());
    const listener = new RawListener(c, fd, options);
    listener.bufferAtLeast(options.receiveBufferBytes ?? receiveBufferBytes);
    const failure = joinGroup(c, fd, options) ?? watchDescriptor(fd, () => listener.read());
    if (failure !== undefined) {
      c.close(fd);
      return failure;
    }
    return listener;
  }

  private constructor(c: Libc, fd: number, options: ChannelOptions) {
    this.#c = c;
    this.#fd = fd;
    this.#options = options;
    this.#message = receiveMessage();
  }

  bufferAtLeast(bytes: number | undefined): void {
    if (bytes === undefined || bytes <= this.#bufferBytes) return;
    this.#bufferBytes = bytes;
    // The kernel doubles it for its own bookkeeping (socket(7)).
    this.#c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(Math.min(bytes, 0x3fffffff)), 4);
  }

  close(): void {
    unwatchDescriptor(this.#fd);
    this.#c.close(this.#fd);
  }

  read(): void {
    const message = this.#message;
    for (;;) {
      const length = receiveInto(this.#c, this.#fd, message);
      if (length === undefined) return;
      const packet =
        this.#options.family === 'ipv4'
          ? ipv4Packet(message.data.subarray(0, length), this.#options.interfaceIndex)
          : ipv6Packet(message, length, this.#options.interfaceIndex);
      if (packet === undefined) continue;
      for (const receiver of [...this.receivers]) receiver(packet);
    }
  }
}

/** An IPv4 raw socket hands over the IP header too (raw(7)). */
function ipv4Packet(bytes: Uint8Array, interfaceIndex: number): ReceivedPacket | undefined {
  const headerLength = (bytes[0] & 0x0f) * 4;
  if (bytes.length < 20 || headerLength < 20 || bytes.length < headerLength) return undefined;
  return {
    interfaceIndex,
    family: 'ipv4',
    source: addressToText(bytes.subarray(12, 16)),
    destination: addressToText(bytes.subarray(16, 20)),
    ttl: bytes[8],
    identification: viewOf(bytes).getUint16(4),
    payload: bytes.slice(headerLength),
  };
}

/** An IPv6 one tells the header's facts as control messages (RFC 3542). */
function ipv6Packet(message: ReceiveMessage, length: number, interfaceIndex: number): ReceivedPacket | undefined {
  let destination: string | undefined;
  let hopLimit: number | undefined;
  eachControl(message, (level, type, view, at) => {
    if (level !== IPPROTO_IPV6) return;
    if (type === IPV6_PKTINFO) destination = addressToText(message.control.slice(at, at + 16));
    if (type === IPV6_HOPLIMIT) hopLimit = view.getInt32(at, true);
  });
  if (destination === undefined || hopLimit === undefined) return undefined;
  return {
    interfaceIndex,
    family: 'ipv6',
    source: addressToText(message.name.slice(8, 24)),
    destination,
    ttl: hopLimit,
    identification: 0,
    payload: message.data.slice(0, length),
  };
}

interface Sender {
  send(payload: Uint8Array, destination: string, identification: number): SystemFailure;
  close(): void;
}

function openSender(c: Libc, options: ChannelOptions): Sender | string {
  const fd = openRaw(c, options);
  if (fd < 0) return errorName(errno());
  const set = (level: number, name: number, value: Uint8Array) =>
    c.setsockopt(fd, level, name, value, value.length) < 0 ? errorName(errno()) : undefined;
  const index = options.interfaceIndex;
  set(SOL_SOCKET, SO_RCVBUF, int32(0));
  set(SOL_SOCKET, SO_PRIORITY, int32(queuePriority));
  const source = addressToBytes(options.family, options.source);
  let failure = source === undefined ? 'EINVAL' : undefined;
  if (options.family === 'ipv4') {
    failure ??= set(IPPROTO_IP, IP_HDRINCL, int32(1));
    failure ??= set(IPPROTO_IP, IP_MULTICAST_LOOP, int32(0));
    failure ??= set(IPPROTO_IP, IP_MULTICAST_IF, ipMreqn(new Uint8Array(4), index));
  } else {
    failure ??= set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int32(0));
    failure ??= set(IPPROTO_IPV6, IPV6_MULTICAST_IF, int32(index));
    failure ??= set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int32(options.ttl));
    failure ??= set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, int32(options.ttl));
    failure ??= set(IPPROTO_IPV6, IPV6_TCLASS, int32(typeOfService));
    const from = socketAddress('ipv6', options.source, index);
    if (failure === undefined && from !== undefined && c.bind(fd, from, from.length) < 0) failure = errorName(errno());
  }
  if (failure !== undefined || source === undefined) {
    c.close(fd);
    return failure ?? 'EINVAL';
  }
  return {
    send(payload, destination, identification) {
      const to = socketAddress(options.family, destination, index);
      if (to === undefined) return 'EINVAL';
      let bytes = payload;
      if (options.family === 'ipv4') {
        bytes = ipv4Datagram(options, source, to.subarray(4, 8), identification, payload);
      }
      return c.sendto(fd, bytes, bytes.length, 0, to, to.length) < 0 ? errorName(errno()) : undefined;
    },
    close: () => c.close(fd),
  };
}

/** The header as Keepalived writes it: no DF, its own identification. Length and checksum are the kernel's (raw(7)). */
function ipv4Datagram(
  options: ChannelOptions,
  source: Uint8Array,
  destination: Uint8Array,
  identification: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  const view = viewOf(bytes);
  bytes[0] = 0x45;
  bytes[1] = typeOfService;
  view.setUint16(2, bytes.length);
  view.setUint16(4, identification);
  bytes[8] = options.ttl;
  bytes[9] = options.protocol;
  bytes.set(source, 12);
  bytes.set(destination, 16);
  bytes.set(payload, 20);
  return bytes;
}

function openRaw(c: Libc, options: ChannelOptions): number {
  const fd = c.socket(
    familyNumber(options.family),
    linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC,
    options.protocol,
  );
  if (fd < 0) return fd;
  const device = new TextEncoder().encode(options.interfaceName + '\0');
  if (c.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, device.length) < 0) {
    c.close(fd);
    return -1;
  }
  return fd;
}

function joinGroup(c: Libc, fd: number, options: ChannelOptions): SystemFailure {
  const set = (level: number, name: number, value: Uint8Array) =>
    c.setsockopt(fd, level, name, value, value.length) < 0 ? errorName(errno()) : undefined;
  const group = options.group === undefined ? undefined : addressToBytes(options.family, options.group);
  if (options.group !== undefined && group === undefined) return 'EINVAL';
  if (options.family === 'ipv4') {
    // Without this the socket hears every group that anyone on this machine has joined (ip(7)).
    set(IPPROTO_IP, IP_MULTICAST_ALL, int32(0));
    return group === undefined ? undefined : set(IPPROTO_IP, IP_ADD_MEMBERSHIP, ipMreqn(group, options.interfaceIndex));
  }
  set(IPPROTO_IPV6, IPV6_V6ONLY, int32(1));
  set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, int32(0));
  const failure = set(IPPROTO_IPV6, IPV6_RECVPKTINFO, int32(1)) ?? set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, int32(1));
  if (failure !== undefined || group === undefined) return failure;
  const request = new Uint8Array(20);
  request.set(group, 0);
  viewOf(request).setInt32(16, options.interfaceIndex, true);
  return set(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request);
}

/** struct ip_mreqn (ip(7)). */
function ipMreqn(group: Uint8Array, interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes.set(group, 0);
  viewOf(bytes).setInt32(8, interfaceIndex, true);
  return bytes;
}
