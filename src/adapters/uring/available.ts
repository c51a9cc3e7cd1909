/** Whether this process may use io_uring, and has what the adapter needs from it. */
import { libc, uvLoop } from '../libc.ts';
import { ReceiveBuffers } from './receive-buffers.ts';
import { Ring, SetupError } from './ring.ts';

/** @returns undefined when io_uring can be used; else the reason why not, as the end of a sentence for the log. */
export function uringAvailable(): string | undefined {
  if (libc() === undefined) return 'not Linux, or koffi has no native part for this machine';
  if (uvLoop() === undefined) return "Node's event loop cannot be reached from native calls";
  try {
    const ring = new Ring();
    try {
      new ReceiveBuffers(ring).dispose();
    } finally {
      ring.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof SetupError ? reason(error.number) : (error as Error).message;
  }
}

function reason(error: number): string {
  switch (error) {
    case 1: // EPERM
      return 'the system forbids it (sysctl kernel.io_uring_disabled, or a seccomp profile such as that of Docker)';
    case 38: // ENOSYS
      return 'this kernel has none';
    case 22: // EINVAL
      return 'this kernel is too old for it (Linux 6.1 or newer is needed)';
    case 12: // ENOMEM
      return 'the limit for locked memory is too small (ulimit -l)';
    case 24: // EMFILE
    case 23: // ENFILE
      return 'no file descriptors are left';
    default:
      return `io_uring_setup failed with error ${error}`;
  }
}
