/** A stream's descriptor, and the system calls on it that never wait: made directly, because on the ring they would cost more. */
import type { SocketAddress } from '../../core/address.ts';
import { libc, linux } from '../libc.ts';
import { decodeSockaddr, sockaddrBytesMax } from '../sockaddr.ts';
import { noteClosing, noteOpened } from './ledger.ts';

const shutWrite = 1;
const shutBoth = 2;
/** Most bytes read away when a paused stream is closed: a socket's receive buffer at its usual most. */
const drainBytesMax = 6_291_456;

export class Socket {
  readonly fd: number;
  readonly #family: number;
  #remote: SocketAddress | undefined = undefined;
  #local: SocketAddress | undefined = undefined;
  #closed = false;

  constructor(fd: number, family: number) {
    this.fd = fd;
    this.#family = family;
    noteOpened(fd);
  }

  /** splice(2) to unix sockets came late (Linux 6.5); what is local is rarely bulk. */
  get splices(): boolean {
    return this.#family !== linux.AF_UNIX;
  }

  /** The peer's address, or nowhere once the kernel has forgotten it. Asked once; not after `close`. */
  remoteAddress(): SocketAddress {
    return (this.#remote ??= this.#ask('getpeername')) ?? nowhere;
  }

  localAddress(): SocketAddress {
    return (this.#local ??= this.#ask('getsockname')) ?? nowhere;
  }

  #ask(name: 'getpeername' | 'getsockname'): SocketAddress | undefined {
    if (this.#closed) return undefined;
    askedLength[0] = sockaddrBytesMax;
    if (libc()![name](this.fd, asked, askedLengthBytes) < 0) return undefined;
    return decodeSockaddr(asked, askedLength[0]);
  }

  shutdownWriting(): void {
    libc()!.shutdown(this.fd, shutWrite);
  }

  shutdown(): void {
    libc()!.shutdown(this.fd, shutBoth);
  }

  /** Makes `close` send RST on TCP. */
  resetAtClose(): void {
    if (this.#family !== linux.AF_UNIX) libc()!.setsockopt(this.fd, linux.SOL_SOCKET, linux.SO_LINGER, lingerNot, 8);
  }

  /** Bytes left unread in the kernel would turn the FIN into a RST, and what was sent might never be read. */
  drain(): void {
    const trunc = 0x20; // MSG_TRUNC: TCP throws the bytes away without copying them (tcp(7)).
    if (this.#family !== linux.AF_UNIX)
      libc()!.recvfrom(this.fd, null, drainBytesMax, trunc | linux.MSG_DONTWAIT, null, null);
  }

  close(): void {
    this.#closed = true;
    noteClosing(this.fd);
    libc()!.close(this.fd);
  }
}

/** Where addresses are asked into: one call at a time, and no memory for each. */
const asked = new Uint8Array(sockaddrBytesMax);
const askedLength = new Uint32Array(1);
const askedLengthBytes = new Uint8Array(askedLength.buffer);
const nowhere: SocketAddress = { family: 'ipv4', host: '', port: 0 };
/** struct linger { on, 0 seconds }: close sends RST. */
const lingerNot = new Uint8Array(new Int32Array([1, 0]).buffer);
