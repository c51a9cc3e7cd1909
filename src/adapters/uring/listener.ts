/** Accepting on the ring: one multishot entry for each listener and thread. */
import type { AcceptOptions, Listener, ListenerSocket, Stream, StreamHandler } from '../../engine/ports/streams.ts';
import { libc, linux } from '../libc.ts';
import { acceptFlag, completionFlag, errorNumber, kind, kindBits, op } from './abi.ts';
import { noteClosing, noteOpened } from './ledger.ts';
import type { Gatherer, Target, UringLoop } from './loop.ts';
import { UringStream } from './stream.ts';

/** Without descriptors or memory every accept fails at once: trying again before something is closed would only spin. */
const backOffMs = 100;

export class UringListener implements Listener, Target, Gatherer {
  generation = 0;
  readonly #loop: UringLoop;
  readonly #fd: number;
  readonly #family: number;
  readonly #index: number;
  readonly #accepted: (stream: Stream) => StreamHandler | undefined;
  readonly #again;
  #accepting = false;
  #cancelling = false;
  #paused = false;
  #closed = false;
  #lookedAgain = false;
  #backsOff = false;
  #gathering = false;

  constructor(
    loop: UringLoop,
    socket: ListenerSocket,
    options: AcceptOptions,
    accepted: (stream: Stream) => StreamHandler | undefined,
  ) {
    this.#loop = loop;
    this.#accepted = accepted;
    this.#family =
      socket.address.family === 'unix'
        ? linux.AF_UNIX
        : socket.address.family === 'ipv4'
          ? linux.AF_INET
          : linux.AF_INET6;
    this.#fd = libc()!.dup(socket.fd);
    if (this.#fd < 0) throw new Error(`the listening socket ${socket.fd} cannot be duplicated`);
    noteOpened(this.#fd);
    if (this.#family !== linux.AF_UNIX) {
      // Accepted sockets inherit both: no system call for each of them.
      setOn(this.#fd, linux.IPPROTO_TCP, linux.TCP_NODELAY);
      if (options.keepAlive) setOn(this.#fd, linux.SOL_SOCKET, linux.SO_KEEPALIVE);
    }
    this.#index = loop.join(this);
    this.#again = loop.clock.alarm(() => {
      this.#backsOff = false;
      this.#gatherLater();
    });
    this.#gatherLater();
  }

  pause(): void {
    this.#paused = true;
    this.#gatherLater();
  }

  resume(): void {
    this.#paused = false;
    this.#gatherLater();
  }

  close(): void {
    this.#closed = true;
    this.#again.clear();
    this.#gatherLater();
  }

  #gatherLater(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#loop.gatherLater(this);
  }

  gather(): void {
    this.#gathering = false;
    if (this.#closed && !this.#accepting) {
      if (this.generation !== 0) this.#leave();
      return;
    }
    if (this.#closed || this.#paused) this.#stop();
    else if (!this.#accepting && !this.#backsOff) this.#start();
  }

  /**
   * Of all who wait at a shared socket the kernel wakes one for each connection. If that was this listener while it was being cancelled,
   * the connection would wait until the next one comes: so it looks once more, and only then leaves.
   */
  #leave(): void {
    if (!this.#lookedAgain && !this.#paused) {
      this.#lookedAgain = true;
      this.#start();
      this.#stop();
      return;
    }
    this.generation = 0;
    this.#again.clear();
    noteClosing(this.#fd);
    libc()!.close(this.#fd);
    this.#loop.leave(this.#index);
  }

  #start(): void {
    const { ring } = this.#loop;
    const index = ring.push(op.ACCEPT, this.#fd, (this.#index << kindBits) | kind.accept, this.generation);
    ring.entries[index * 16] = op.ACCEPT | (acceptFlag.MULTISHOT << 16);
    ring.entries[index * 16 + 7] = linux.SOCK_CLOEXEC;
    this.#accepting = true;
  }

  #stop(): void {
    if (!this.#accepting || this.#cancelling) return;
    this.#cancelling = true;
    this.#loop.ring.cancel((this.#index << kindBits) | kind.accept, this.generation);
  }

  completed(_kind: number, result: number, flags: number): void {
    if ((flags & completionFlag.MORE) === 0) {
      this.#accepting = false;
      this.#cancelling = false;
      this.#gatherLater();
    }
    if (result >= 0) this.#welcome(result);
    else if (isShortage(-result)) {
      this.#backsOff = true;
      this.#again.set(this.#loop.clock.now() + backOffMs);
    } else if (result === -errorNumber.EAGAIN) makeBlocking(this.#fd);
  }

  #welcome(fd: number): void {
    const stream = new UringStream(this.#loop, fd, this.#family, 'open');
    const handler = this.#accepted(stream);
    stream.handler = handler;
    if (handler === undefined) stream.reset();
    else stream.begin();
  }
}

/** ENFILE, EMFILE, ENOMEM, ENOBUFS */
function isShortage(error: number): boolean {
  return error === 23 || error === 24 || error === 12 || error === errorNumber.ENOBUFS;
}

/** Some kernels take O_NONBLOCK on the listening socket for "don't wait in the ring either". */
function makeBlocking(fd: number): void {
  const c = libc()!;
  c.fcntl(fd, linux.F_SETFL, c.fcntl(fd, linux.F_GETFL, 0) & ~linux.O_NONBLOCK);
}

const one = new Uint8Array(new Int32Array([1]).buffer);

/** Sets a socket option to 1. */
export function setOn(fd: number, level: number, name: number): void {
  libc()!.setsockopt(fd, level, name, one, 4);
}
