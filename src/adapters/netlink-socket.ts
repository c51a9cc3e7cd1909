/**
 * Two kinds of rtnetlink sockets: one that asks and gets its answer at once, one that hears what changes.
 *
 * rtnetlink works inside the sender's system call: when sendto(2) returns, the answer already waits in the socket. So requests are
 * plain calls with a result, and nothing here waits.
 */
import { errno, errorName, type Libc, libc, linux } from './libc.ts';
import {
  messageFlag,
  messageType,
  type NetlinkMessage,
  type ReceivedMessage,
  readMessages,
  viewOf,
} from './netlink-message.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';

const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_GET_STRICT_CHK = 12;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const ENOBUFS = 105;

/** The kernel fills at most 32 KiB per datagram of a dump. */
const datagramBytes = 65_536;

/** Bytes the event socket may hold: thousands of changes at once, before the kernel says ENOBUFS and we look at everything again. */
const eventBufferBytes = 1_048_576;

export class NetlinkRequester {
  readonly #c: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(datagramBytes);
  #sequence = 0;
  #port = 0;

  constructor(protocol: number = NETLINK_ROUTE) {
    this.#c = requireLibc();
    this.#fd = openSocket(this.#c, protocol, 0);
    this.#c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(1), 4);
  }

  /** This socket's, which the kernel's words about its changes carry; 0 before the first. */
  get port(): number {
    return this.#port;
  }

  /** Sends one change and reads its acknowledgement. @returns the error's name, undefined on success. */
  change(message: NetlinkMessage): string | undefined {
    const sequence = this.#send(message);
    if (sequence === undefined) return errorName(errno());
    for (const received of this.#answers(sequence)) {
      if (received.type !== messageType.error) continue;
      this.#port = received.port;
      const code = -viewOf(received.body).getInt32(0, true);
      return code === 0 ? undefined : errorName(code);
    }
    return 'EPROTO';
  }

  /** Sends the messages of one transaction in one datagram (nfnetlink). @returns the first error's name, undefined when all are done. */
  changeAll(messages: readonly NetlinkMessage[]): string | undefined {
    const first = this.#sequence + 1;
    const parts = messages.map((message) => message.finish((this.#sequence = (this.#sequence + 1) >>> 0)));
    const batch = Buffer.concat(parts);
    if (this.#c.sendto(this.#fd, batch, batch.length, 0, null, 0) !== batch.length) return errorName(errno());
    for (let length = this.#receive(); length > 0; length = this.#receive())
      for (const received of readMessages(this.#buffer.subarray(0, length))) {
        if (received.type !== messageType.error || received.sequence < first) continue;
        const code = -viewOf(received.body).getInt32(0, true);
        if (code !== 0) return this.#discard(errorName(code));
      }
    return undefined;
  }

  /** Sends a dump request and returns every message of the answer. */
  dump(message: NetlinkMessage): ReceivedMessage[] {
    const sequence = this.#send(message);
    if (sequence === undefined) return [];
    const found: ReceivedMessage[] = [];
    for (const received of this.#answers(sequence)) {
      if (received.type === messageType.error) break;
      found.push({ ...received, body: received.body.slice() });
    }
    return found;
  }

  close(): void {
    this.#c.close(this.#fd);
  }

  /** The answers that are left belong to what has failed. */
  #discard(failure: string): string {
    while (this.#receive() > 0);
    return failure;
  }

  #receive(): number {
    return this.#c.recvfrom(this.#fd, this.#buffer, datagramBytes, linux.MSG_DONTWAIT, null, null);
  }

  #send(message: NetlinkMessage): number | undefined {
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0);
    const bytes = message.finish(sequence);
    return this.#c.sendto(this.#fd, bytes, bytes.length, 0, null, 0) === bytes.length ? sequence : undefined;
  }

  /** Everything that waits for this sequence number, up to the end of the dump or the socket's last datagram. */
  *#answers(sequence: number): Generator<ReceivedMessage> {
    for (;;) {
      const length = this.#c.recvfrom(this.#fd, this.#buffer, datagramBytes, linux.MSG_DONTWAIT, null, null);
      if (length <= 0) {
        if (length < 0 && errno() === linux.EINTR) continue;
        return;
      }
      for (const received of readMessages(this.#buffer.subarray(0, length))) {
        if (received.sequence !== sequence) continue;
        if (received.type === messageType.done) return;
        yield received;
      }
    }
  }
}

export class NetlinkEvents {
  readonly #c: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(datagramBytes);
  readonly #received: (message: ReceivedMessage) => void;
  readonly #lost: () => void;

  /**
   * @param protocol NETLINK_ROUTE (0) or NETLINK_CONNECTOR (11)
   * @param groups bit mask of multicast groups (RTMGRP_*)
   * @param lost events were dropped (ENOBUFS): what is known must be read anew
   */
  constructor(protocol: number, groups: number, received: (message: ReceivedMessage) => void, lost: () => void) {
    this.#c = requireLibc();
    this.#received = received;
    this.#lost = lost;
    this.#fd = openSocket(this.#c, protocol, groups);
    this.#c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(eventBufferBytes), 4);
    const failure = watchDescriptor(this.#fd, () => this.#read());
    if (failure !== undefined) throw new Error(`netlink socket: ${failure}`);
  }

  /** Hears that multicast group (RTNLGRP_*) from now on. */
  join(group: number): void {
    this.#c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, int32(group), 4);
  }

  send(bytes: Uint8Array): boolean {
    return this.#c.sendto(this.#fd, bytes, bytes.length, 0, null, 0) === bytes.length;
  }

  close(): void {
    unwatchDescriptor(this.#fd);
    this.#c.close(this.#fd);
  }

  #read(): void {
    for (;;) {
      const length = this.#c.recvfrom(this.#fd, this.#buffer, datagramBytes, linux.MSG_DONTWAIT, null, null);
      if (length < 0) {
        const error = errno();
        if (error === linux.EINTR) continue;
        if (error !== ENOBUFS) return;
        this.#lost();
        continue;
      }
      if (length === 0) return;
      for (const message of readMessages(this.#buffer.subarray(0, length))) this.#received(message);
    }
  }
}

function openSocket(c: Libc, protocol: number, groups: number): number {
  const fd = c.socket(linux.AF_NETLINK, linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, protocol);
  if (fd < 0) throw new Error(`netlink socket: ${errorName(errno())}`);
  const address = new Uint8Array(12);
  viewOf(address).setUint16(0, linux.AF_NETLINK, true);
  viewOf(address).setUint32(8, groups, true);
  if (c.bind(fd, address, address.length) < 0) {
    const error = errorName(errno());
    c.close(fd);
    throw new Error(`netlink socket: ${error}`);
  }
  return fd;
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

export function requireLibc(): Libc {
  const c = libc();
  if (c === undefined) throw new Error('VRRP needs Linux');
  return c;
}

/** Flags of a request that changes something and wants to know whether it worked. */
export const changeFlags = messageFlag.request | messageFlag.acknowledge;
export const dumpFlags = messageFlag.request | messageFlag.dump;
