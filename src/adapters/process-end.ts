/**
 * Tells at once that another process ends.
 *
 * A process that is killed first gives its memory back, and only then closes its descriptors and is reported to its parent: with 150 MB that
 * takes 5 to 50 ms, in which nobody is served. The last of its threads does that, whichever that is; the others are gone before, each when a
 * processor comes to it. So all are watched that live as long as the process (pidfd_open(2) with PIDFD_THREAD, Linux 6.9), and the first counts;
 * an older kernel tells the end of the whole process.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { errno, errorName, libc } from './libc.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';

const pidfdOpen = 434;
const PIDFD_THREAD = 0o200;

/** V8's platform makes them when the process starts and keeps them (Node's names, cut to the kernel's 15 characters). Worker threads come and go. */
const platformThreads = new Set(['node-V8Worker', 'DelayedTaskSche']);

/**
 * @param pid of a Node process.
 * @param ended called once.
 * @returns how to stop watching, or the error's name.
 */
export function watchProcessEnd(pid: number, ended: () => void): (() => void) | string {
  const c = libc();
  if (c === undefined) return 'ENOSYS';
  const open = (id: number, flags: number) => Number(c.syscall(pidfdOpen, id, flags, 0, 0, 0, 0));
  const opened = threadsOf(pid)
    .map((id) => open(id, PIDFD_THREAD))
    .filter((fd) => fd >= 0);
  if (opened.length === 0) opened.push(open(pid, 0));
  if (opened[0]! < 0) return errorName(errno());
  const watched = new Set(opened);
  const stop = () => {
    for (const fd of watched) {
      unwatchDescriptor(fd);
      c.close(fd);
    }
    watched.clear();
  };
  for (const fd of opened) {
    const failure = watchDescriptor(fd, () => {
      if (watched.size === 0) return;
      stop();
      ended();
    });
    if (failure === undefined) continue;
    stop();
    return failure;
  }
  return stop;
}

function threadsOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  try {
    const isPlatform = (id: string) => platformThreads.has(readFileSync(`${folder}/${id}/comm`, 'utf8').trimEnd());
    return readdirSync(folder).filter(isPlatform).map(Number);
  } catch {
    return [];
  }
}
