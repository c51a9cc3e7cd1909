/**
 * The Datagrams port: UDP sockets that tell the TTL of what they receive, which node:dgram can't. One socket listens, and one for each
 * neighbour speaks.
 */
import type { IpFamily } from '../core/address.ts';
import type { DatagramListener, DatagramRoute, Datagrams, ReceivedDatagram } from '../engine/ports/datagrams.ts';
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import { addressToBytes, addressToText, familyNumber, socketAddress } from './address-bytes.ts';
import { errno, errorName, type Libc, linux } from './libc.ts';
import { viewOf } from './netlink-message.ts';
import { int32, requireLibc } from './netlink-socket.ts';
import { attendDescriptor, unwatchDescriptor, watchDescriptor } from './poll.ts';
import { eachControl, receiveInto, receiveMessage } from './receive-message.ts';

const SO_RCVBUF = 8;
const SO_PRIORITY = 12;
/** With 64-bit times, as 64-bit machines have them; the control message has the same number. */
const SO_TIMESTAMPNS = 35;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IP_RECVTTL = 12;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;

/** Internetwork Control, as VRRP's own packets. */
const typeOfService = 0xc0;
const queuePriority = 7;

/** RFC 5881 §4. */
const sourcePortFirst = 49_152;
const sourcePorts = 65_536 - sourcePortFirst;
const portsTriedMax = 16;

export class UdpDatagrams implements Datagrams {
  readonly #c: Libc = requireLibc();
  readonly #listeners = new Set<Listener>();

  listen(
    family: IpFamily,
    port: number,
    received: (datagram: ReceivedDatagram) => void,
  ): DatagramListener | { readonly failure: string } {
    const fd = openSocket(this.#c, family);
    if (fd < 0) return { failure: errorName(errno()) };
    const options: [number, number][] =
      family === 'ipv4'
        ? [
            [IPPROTO_IP, IP_PKTINFO],
            [IPPROTO_IP, IP_RECVTTL],
          ]
        : [
            [IPPROTO_IPV6, IPV6_V6ONLY],
            [IPPROTO_IPV6, IPV6_RECVPKTINFO],
            [IPPROTO_IPV6, IPV6_RECVHOPLIMIT],
          ];
    options.push([linux.SOL_SOCKET, SO_TIMESTAMPNS]);
    for (const [level, name] of options) this.#c.setsockopt(fd, level, name, int32(1), 4);
    const any = withPort(socketAddress(family, family === 'ipv4' ? '0.0.0.0' : '::', 0)!, port);
    const listener = new Listener(this.#c, fd, family, received);
    const failure =
      this.#c.bind(fd, any, any.length) < 0 ? errorName(errno()) : watchDescriptor(fd, () => listener.read());
    if (failure !== undefined) {
      this.#c.close(fd);
      return { failure };
    }
    this.#listeners.add(listener);
    return {
      attend: (prompt) => attendDescriptor(fd, prompt),
      close: () => {
        if (!this.#listeners.delete(listener)) return;
        unwatchDescriptor(fd);
        this.#c.close(fd);
      },
    };
  }

  open(
    route: DatagramRoute,
  ): { send(payload: Uint8Array): SystemFailure; close(): void } | { readonly failure: string } {
    const c = this.#c;
    const to = socketAddress(route.family, route.destination, route.interfaceIndex);
    if (to === undefined) return { failure: 'EINVAL' };
    withPort(to, route.port);
    const fd = openSocket(c, route.family);
    if (fd < 0) return { failure: errorName(errno()) };
    const options: [number, number, number][] =
      route.family === 'ipv4'
        ? [
            [IPPROTO_IP, IP_TTL, route.ttl],
            [IPPROTO_IP, IP_TOS, typeOfService],
          ]
        : [
            [IPPROTO_IPV6, IPV6_UNICAST_HOPS, route.ttl],
            [IPPROTO_IPV6, IPV6_TCLASS, typeOfService],
          ];
    for (const [level, name, value] of options) c.setsockopt(fd, level, name, int32(value), 4);
    c.setsockopt(fd, linux.SOL_SOCKET, SO_RCVBUF, int32(0), 4);
    c.setsockopt(fd, linux.SOL_SOCKET, SO_PRIORITY, int32(queuePriority), 4);
    const failure = bindSource(c, fd, route);
    if (failure !== undefined) {
      c.close(fd);
      return { failure };
    }
    let open = true;
    return {
      send: (payload) =>
        c.sendto(fd, payload, payload.length, linux.MSG_DONTWAIT, to, to.length) < 0 ? errorName(errno()) : undefined,
      close: () => {
        if (open) c.close(fd);
        open = false;
      },
    };
  }

  receiveWaiting(): void {
    for (const listener of [...this.#listeners]) listener.read();
  }
}

class Listener {
  readonly #c: Libc;
  readonly #fd: number;
  readonly #family: IpFamily;
  readonly #received: (datagram: ReceivedDatagram) => void;
  readonly #message = receiveMessage();
  readonly #sources = new AddressText();
  readonly #destinations = new AddressText();

  constructor(c: Libc, fd: number, family: IpFamily, received: (datagram: ReceivedDatagram) => void) {
    this.#c = c;
    this.#fd = fd;
    this.#family = family;
    this.#received = received;
  }

  read(): void {
    for (;;) {
      const length = receiveInto(this.#c, this.#fd, this.#message);
      if (length === undefined) return;
      const datagram = this.#datagram(length);
      if (datagram !== undefined) this.#received(datagram);
    }
  }

  #datagram(length: number): ReceivedDatagram | undefined {
    const message = this.#message;
    const family = this.#family;
    let destination: string | undefined;
    let ttl: number | undefined;
    let interfaceIndex = 0;
    let waitedMs = 0;
    eachControl(message, (level, type, view, at) => {
      if (level === linux.SOL_SOCKET && type === SO_TIMESTAMPNS) waitedMs = sinceWall(view, at);
      else if (level === IPPROTO_IP && type === IP_TTL) ttl = view.getInt32(at, true);
      else if (level === IPPROTO_IP && type === IP_PKTINFO) {
        // struct in_pktinfo: interface, local address, destination in the header.
        interfaceIndex = view.getInt32(at, true);
        destination = this.#destinations.of(message.control, at + 8, 4);
      } else if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT) ttl = view.getInt32(at, true);
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
        destination = this.#destinations.of(message.control, at, 16);
        interfaceIndex = view.getInt32(at + 16, true);
      }
    });
    if (destination === undefined || ttl === undefined) return undefined;
    const source = family === 'ipv4' ? this.#sources.of(message.name, 4, 4) : this.#sources.of(message.name, 8, 16);
    return { interfaceIndex, family, source, destination, ttl, payload: message.data.slice(0, length), waitedMs };
  }
}

/** The text of an address; most packets come from where the one before came from. */
class AddressText {
  #bytes: Uint8Array | undefined;
  #text = '';

  of(buffer: Uint8Array, start: number, length: number): string {
    const last = this.#bytes;
    let same = last !== undefined && last.length === length;
    for (let i = 0; same && i < length; i++) same = last![i] === buffer[start + i];
    if (same) return this.#text;
    this.#bytes = buffer.slice(start, start + length);
    this.#text = addressToText(this.#bytes);
    return this.#text;
  }
}

/** Milliseconds since the kernel had the datagram, by the wall clock (struct timespec): whoever believes it allows for a clock that is set. */
function sinceWall(view: DataView, at: number): number {
  const seconds = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  return Math.max(0, Date.now() - (seconds * 1000 + view.getUint32(at + 8, true) / 1e6));
}

function bindSource(c: Libc, fd: number, route: DatagramRoute): SystemFailure {
  const any = route.family === 'ipv4' ? '0.0.0.0' : '::';
  const from = socketAddress(route.family, route.source ?? any, route.interfaceIndex);
  if (from === undefined || addressToBytes(route.family, route.source ?? any) === undefined) return 'EINVAL';
  // Where the search for a free port begins need not be unforeseeable: what protects a session is the TTL (RFC 5881 §9).
  let port = (process.pid * 64 + fd) % sourcePorts;
  for (let tried = 0; tried < portsTriedMax; tried++) {
    withPort(from, sourcePortFirst + port);
    if (c.bind(fd, from, from.length) >= 0) return undefined;
    const error = errorName(errno());
    if (error !== 'EADDRINUSE') return error;
    port = (port + 1) % sourcePorts;
  }
  return 'EADDRINUSE';
}

function withPort(address: Uint8Array, port: number): Uint8Array {
  viewOf(address).setUint16(2, port);
  return address;
}

function openSocket(c: Libc, family: IpFamily): number {
  return c.socket(familyNumber(family), linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
}
