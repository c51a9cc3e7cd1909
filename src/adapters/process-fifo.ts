/** A named pipe to a monitoring program (notify_fifo). */
import { chownSync, closeSync, constants, fchmodSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Fifo } from '../engine/ports/scripts.ts';
import { errno, errorName, libc } from './libc.ts';
import type { Identity } from './process-user.ts';

const EEXIST = 17;

/** Only the owner reads and writes: state changes are nobody else's business. */
const mode = 0o600;

export function openFifo(path: string, owner: Identity | undefined): Fifo | { readonly failure: string } {
  const c = libc();
  if (c === undefined) return { failure: 'ENOSYS' };
  const made = c.mkfifo(path, mode) === 0;
  if (!made && errno() !== EEXIST) return { failure: errorName(errno()) };
  let fd: number;
  try {
    if (!lstatSync(path).isFIFO()) return { failure: 'it exists and is not a pipe' };
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    // Read and write: opening never waits for a reader, and a reader that ends is no error.
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    fchmodSync(fd, mode);
  } catch (error) {
    return { failure: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
  return {
    write(line) {
      try {
        writeSync(fd, line);
      } catch {
        // Full: nobody reads. The next state will be told.
      }
    },
    close() {
      closeSync(fd);
      if (made) rmSync(path, { force: true });
    },
  };
}
