/**
 * Tells at once that another process ends.
 *
 * A process that is killed first gives its memory back, and only then closes its descriptors and is reported to its parent: with 150 MB that
 * takes 5 to 50 ms, in which nobody is served. Its threads other than the last go before that. So one of them is watched (pidfd_open(2)
 * with PIDFD_THREAD, Linux 6.9); an older kernel tells the end of the whole process.
 */
import { readdirSync } from 'node:fs';
import { errno, errorName, libc } from './libc.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';

const pidfdOpen = 434;
const PIDFD_THREAD = 0o200;

/**
 * @param pid of a Node process: its second thread belongs to V8's platform and lives as long as the process.
 * @param ended called once.
 * @returns how to stop watching, or the error's name.
 */
export function watchProcessEnd(pid: number, ended: () => void): (() => void) | string {
  const c = libc();
  if (c === undefined) return 'ENOSYS';
  const open = (id: number, flags: number) => Number(c.syscall(pidfdOpen, id, flags, 0, 0, 0, 0));
  const thread = secondThread(pid);
  let fd = thread === undefined ? -1 : open(thread, PIDFD_THREAD);
  if (fd < 0) fd = open(pid, 0);
  if (fd < 0) return errorName(errno());
  let watching = true;
  const stop = () => {
    if (!watching) return;
    watching = false;
    unwatchDescriptor(fd);
    c.close(fd);
  };
  const failure = watchDescriptor(fd, () => {
    if (!watching) return;
    stop();
    ended();
  });
  if (failure === undefined) return stop;
  stop();
  return failure;
}

/** The kernel lists threads in the order of their birth. */
function secondThread(pid: number): number | undefined {
  try {
    const ids = readdirSync(`/proc/${pid}/task`).map(Number);
    return ids.find((id) => id !== pid);
  } catch {
    return undefined;
  }
}
