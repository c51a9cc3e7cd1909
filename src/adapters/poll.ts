/**
 * Tells when a descriptor that Node knows nothing about (raw, packet and netlink sockets) has something to read.
 *
 * libuv can only watch descriptors it opened itself, so the kernel is asked for a signal instead: with O_ASYNC a socket raises SIGIO when
 * data comes (fcntl(2), socket(7)). Node turns the signal into an event of its loop; every descriptor is then read until it is empty, so
 * that signals which the kernel folded into one lose nothing. Against a thread that waits in poll(2) this costs no thread, no memory and one
 * wake-up less; from the packet's arrival to the reader it takes the time of two system calls.
 */
import { errno, errorName, libc, linux } from './libc.ts';

const F_SETOWN = 8;
const O_ASYNC = 0o20000;

const readers = new Map<number, () => void>();

/**
 * Calls `readable` whenever `fd` may have data; it must read until EAGAIN. The descriptor must be non-blocking.
 * @returns the error's name when the kernel refuses.
 */
export function watchDescriptor(fd: number, readable: () => void): string | undefined {
  const c = libc();
  if (c === undefined) return 'ENOSYS';
  // The handler first: the default action of SIGIO ends the process.
  if (!process.listeners('SIGIO').includes(readAll)) process.on('SIGIO', readAll);
  readers.set(fd, readable);
  if (
    c.fcntl(fd, F_SETOWN, process.pid) < 0 ||
    c.fcntl(fd, linux.F_SETFL, c.fcntl(fd, linux.F_GETFL, 0) | O_ASYNC) < 0
  ) {
    const error = errorName(errno());
    unwatchDescriptor(fd);
    return error;
  }
  // What came before the flag was set raised no signal.
  setImmediate(() => {
    if (readers.get(fd) === readable) readable();
  });
  return undefined;
}

/** Must be called before the descriptor is closed. */
export function unwatchDescriptor(fd: number): void {
  if (!readers.delete(fd)) return;
  const c = libc();
  if (c !== undefined) c.fcntl(fd, linux.F_SETFL, c.fcntl(fd, linux.F_GETFL, 0) & ~O_ASYNC);
  // The handler stays: a signal that is already under way must not end the process.
}

function readAll(): void {
  for (const readable of [...readers.values()]) readable();
}
