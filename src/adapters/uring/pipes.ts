/**
 * Pipes for splice(2): what comes from one socket and goes to another passes through one without a copy. It is needed from the one
 * call to the other only, and longer when the receiver can't take everything at once.
 */
import { pipesMax } from '../../core/limits.ts';
import { errno, libc, linux } from '../libc.ts';
import { errorNumber } from './abi.ts';
import { noteClosing, noteOpened } from './ledger.ts';

/** Room of a pipe, and the most that one turn passes from one stream: others wait meanwhile. */
export const pipeBytes = 524_288;
/** Idle pipes kept for use again: one turn needs one, and descriptors have other uses. */
const idleMax = 4;

/** EPERM, ENOMEM, EINVAL, ESPIPE, ENOSYS, EOPNOTSUPP: the kernel won't splice this socket, or not now. The socket itself is as it was. */
export const refusals: ReadonlySet<number> = new Set([1, 12, 22, 29, 38, 95]);

const flags = linux.SPLICE_F_MOVE | linux.SPLICE_F_NONBLOCK;

/** A stream whose bytes pass through a pipe. */
export interface Relaying {
  /** So many went into one; 0: some have left it since. */
  passedOn(bytes: number): void;
}

export class Pipe {
  readonly #readFd: number;
  readonly #writeFd: number;
  bytes = 0;
  /** Whose bytes they are: told when they leave later. */
  of: Relaying | undefined = undefined;

  constructor(readFd: number, writeFd: number) {
    this.#readFd = readFd;
    this.#writeFd = writeFd;
    noteOpened(readFd);
    noteOpened(writeFd);
    // Without the right to this it keeps the size that it has, and a turn passes less.
    libc()!.fcntl(writeFd, linux.F_SETPIPE_SZ, pipeBytes);
  }

  /** @returns the bytes that came, 0 at the socket's end, or an error number below zero. */
  fill(socket: number, bytesMax: number): number {
    const came = splice(socket, this.#writeFd, Math.min(bytesMax, pipeBytes), socket);
    if (came > 0) this.bytes += came;
    return came;
  }

  /** @returns the bytes that left, or an error number below zero. */
  drain(socket: number): number {
    let left = splice(this.#readFd, socket, this.bytes, socket);
    // A number that V8 left in errno, or no memory at the moment, must not end a connection: a socket that can't send any more says so again.
    if (left < 0 && left !== -errorNumber.EAGAIN) {
      const again = splice(this.#readFd, socket, this.bytes, socket);
      if (again > 0 || again === -errorNumber.EAGAIN) left = again;
    }
    if (left > 0) this.bytes -= left;
    return left;
  }

  close(): void {
    for (const fd of [this.#readFd, this.#writeFd]) {
      noteClosing(fd);
      libc()!.close(fd);
    }
  }
}

export class Pipes {
  readonly #idle: Pipe[] = [];
  #count = 0;
  readonly #fds = new Int32Array(2);
  readonly #fdBytes = new Uint8Array(this.#fds.buffer);

  /** An empty one; undefined when there are too many, or no descriptors. */
  take(): Pipe | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#count >= pipesMax || libc()!.pipe2(this.#fdBytes, linux.O_NONBLOCK | linux.O_CLOEXEC) < 0)
      return undefined;
    this.#count++;
    return new Pipe(this.#fds[0]!, this.#fds[1]!);
  }

  /** What is still in it is lost. */
  give(pipe: Pipe): void {
    pipe.of = undefined;
    if (pipe.bytes === 0 && this.#idle.length < idleMax) {
      this.#idle.push(pipe);
      return;
    }
    pipe.close();
    this.#count--;
  }

  get used(): number {
    return this.#count - this.#idle.length;
  }

  get idle(): number {
    return this.#idle.length;
  }

  dispose(): void {
    for (const pipe of this.#idle.splice(0)) pipe.close();
  }
}

/** Never waits: a thread that does stops everyone. Only a socket's own flag is heeded by both directions of splice(2). */
function splice(from: number, to: number, length: number, socket: number): number {
  const c = libc()!;
  c.fcntl(socket, linux.F_SETFL, linux.O_NONBLOCK);
  const moved = c.splice(from, null, to, null, length, flags);
  const error = moved < 0 ? errno() : 0;
  c.fcntl(socket, linux.F_SETFL, 0);
  return moved < 0 ? -(error || errorNumber.EAGAIN) : moved;
}
