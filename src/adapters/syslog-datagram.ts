/**
 * Log lines as datagrams, up to 64 with one system call: sendmmsg(2) on a connected UDP or unix socket.
 *
 * The structures that the call reads (struct mmsghdr, struct iovec) are written once; a line only sets the address and length of
 * its bytes. The kernel copies at once, so the same memory serves the next batch.
 */
import type { SocketAddress } from '../core/address.ts';
import { errno, type Libc, linux, stableBytes } from './libc.ts';
import { encodeSockaddr } from './sockaddr.ts';
import type { LogDestination } from './syslog.ts';

const linesMax = 64;
/** A batch leaves when this much is gathered; below, waiting for the end of the turn saves calls. */
const batchBytes = 8192;
/** Room behind for the line that overflows the batch: the longest that `len` allows, and its newline. */
const lineBytesMax = 65_536;
/** After a failure to open or connect, lines are dropped this long before the next attempt. */
const reopenAfterMs = 1000;

const mmsghdrBytes = 64; // 64-bit: struct msghdr is 56, msg_len 4, padding 4
const iovecBytes = 16;

export class DatagramDestination implements LogDestination {
  droppedLines = 0;
  readonly #c: Libc;
  readonly #address: Uint8Array | undefined;
  readonly #family: number;
  readonly #lines = stableBytes(batchBytes + lineBytesMax);
  readonly #messages = stableBytes(linesMax * mmsghdrBytes);
  readonly #vectors = stableBytes(linesMax * iovecBytes);
  readonly #vectorView = new DataView(this.#vectors.bytes.buffer);
  readonly #linesAddress = Number(this.#lines.address); // user space addresses are below 2^53
  #fd = -1;
  #reopenAt = 0;
  #count = 0;
  #bytes = 0;

  constructor(c: Libc, address: SocketAddress) {
    this.#c = c;
    this.#address = encodeSockaddr(address);
    this.#family =
      address.family === 'unix' ? linux.AF_UNIX : address.family === 'ipv4' ? linux.AF_INET : linux.AF_INET6;
    const messages = new DataView(this.#messages.bytes.buffer);
    for (let index = 0; index < linesMax; index++) {
      messages.setBigUint64(index * mmsghdrBytes + 16, this.#vectors.address + BigInt(index * iovecBytes), true); // msg_iov
      messages.setBigUint64(index * mmsghdrBytes + 24, 1n, true); // msg_iovlen
    }
  }

  add(buffer: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length > lineBytesMax) {
      this.droppedLines++;
      return false;
    }
    const offset = this.#bytes;
    this.#lines.bytes.set(buffer.subarray(start, end), offset);
    const address = this.#linesAddress + offset;
    const at = this.#count * iovecBytes;
    this.#vectorView.setUint32(at, address % 0x1_0000_0000, true);
    this.#vectorView.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
    this.#vectorView.setUint32(at + 8, length, true);
    this.#bytes = offset + length;
    this.#count++;
    return this.#count === linesMax || this.#bytes >= batchBytes;
  }

  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    this.#bytes = 0;
    let sent = 0;
    let retried = false;
    while (sent < count) {
      if (this.#fd < 0 && !this.#open()) break;
      const messages = this.#messages.address + BigInt(sent * mmsghdrBytes);
      const result = this.#c.sendmmsg(this.#fd, messages, count - sent, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL);
      if (result > 0) {
        sent += result;
        retried = false;
        continue;
      }
      const error = errno();
      if (error === linux.EINTR) continue;
      if (error === linux.EAGAIN || error === linux.ENOBUFS) break; // the receiver or the device is slow
      if (error === linux.EMSGSIZE) {
        this.droppedLines++;
        sent++;
        continue;
      }
      // UDP: an ICMP error for an earlier datagram, told once; this one is still to be sent. Unix: the receiver is gone, or came back
      // under the same path with another socket.
      if (retried) break;
      retried = true;
      if (this.#family === linux.AF_UNIX) this.#closeSocket();
    }
    this.droppedLines += count - sent;
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
