/**
 * Log lines as datagrams, up to 64 with one system call: sendmmsg(2) on a connected UDP or unix socket. The kernel copies at once, so
 * the same memory serves the next batch.
 */
import type { SocketAddress } from '../core/address.ts';
import type { LogPage } from '../engine/ports/logs.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { errno, type Libc, linux } from './libc.ts';
import { encodeSockaddr } from './sockaddr.ts';
import type { LogDestination } from './syslog.ts';

/** After a failure to open or connect, lines are dropped this long before the next attempt. */
const reopenAfterMs = 1000;
/** What a kernel or a device says that can't cut messages into datagrams: EIO, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EMSGSIZE. */
const groupErrors: ReadonlySet<number> = new Set([5, 22, 92, 95, linux.EMSGSIZE]);

export class DatagramDestination implements LogDestination {
  droppedLines = 0;
  readonly #c: Libc;
  readonly #address: Uint8Array | undefined;
  readonly #family: number;
  readonly #batch = new DatagramBatch();
  #groups: boolean;
  #fd = -1;
  #reopenAt = 0;

  constructor(c: Libc, address: SocketAddress) {
    this.#c = c;
    this.#address = encodeSockaddr(address);
    this.#family =
      address.family === 'unix' ? linux.AF_UNIX : address.family === 'ipv4' ? linux.AF_INET : linux.AF_INET6;
    this.#groups = this.#family !== linux.AF_UNIX;
  }

  get page(): LogPage {
    return this.#batch;
  }

  commit(end: number): boolean {
    return this.#batch.commit(end);
  }

  flush(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    batch.layOut(this.#groups);
    let retried = false;
    while (batch.next < batch.messages) {
      if (this.#fd < 0 && !this.#open()) break;
      const left = batch.messages - batch.next;
      const result = this.#c.sendmmsg(this.#fd, batch.address, left, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL);
      if (result > 0) {
        batch.next += result;
        retried = false;
        continue;
      }
      const error = errno();
      if (error === linux.EINTR) continue;
      if (error === linux.EAGAIN || error === linux.ENOBUFS) break; // the receiver or the device is slow
      if (batch.isGroup && groupErrors.has(error)) {
        this.#groups = false;
        batch.ungroup();
        continue;
      }
      if (error === linux.EMSGSIZE) {
        this.droppedLines++;
        batch.next++;
        continue;
      }
      // UDP: an ICMP error for an earlier datagram, told once; this one is still to be sent. Unix: the receiver is gone, or came back
      // under the same path with another socket.
      if (retried) break;
      retried = true;
      if (this.#family === linux.AF_UNIX) this.#closeSocket();
    }
    this.droppedLines += batch.linesLeft;
    batch.clear();
  }

  close(): void {
    this.#closeSocket();
    this.#reopenAt = Number.POSITIVE_INFINITY;
  }

  #open(): boolean {
    const now = performance.now();
    if (now < this.#reopenAt || this.#address === undefined) return false;
    this.#reopenAt = now + reopenAfterMs;
    const fd = this.#c.socket(this.#family, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    if (this.#c.connect(fd, this.#address, this.#address.length) < 0) {
      this.#c.close(fd);
      return false;
    }
    this.#fd = fd;
    return true;
  }

  #closeSocket(): void {
    if (this.#fd >= 0) this.#c.close(this.#fd);
    this.#fd = -1;
  }
}
