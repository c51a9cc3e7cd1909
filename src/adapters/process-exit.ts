/**
 * Ends a process at the cost of itself alone: who serves beside it, on a machine with few processors, must not wait for its end.
 *
 * Taking the parts of a Node process down in an orderly way (threads, V8's heaps) and giving 150 MB back to the kernel takes 40 ms of a
 * processor. The first need not be: the kernel does all that counts. The second happens in the threads that end (sched(7)), so they go last.
 */
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { libc } from './libc.ts';
import { int32 } from './netlink-socket.ts';

const exitGroup = process.arch === 'arm64' ? 94 : 231;
const SCHED_OTHER = 0;
/** Whoever has it may not take it off without rights (sched_setscheduler(2)). */
const SCHED_RESET_ON_FORK = 0x40000000;

/** What this process still does, it does when nobody else wants the processor: not SCHED_IDLE, with which it might wait for seconds on a busy machine. */
export function yieldProcessors(): void {
  for (const thread of threads()) lower(thread);
}

/** Ends the process now, with its threads wherever they are: no listener of `exit` runs. */
export function exitAtOnce(status: number): never {
  const c = libc();
  if (c !== undefined) {
    // Out of real-time scheduling, in which the nice value means nothing.
    for (const thread of threads()) c.sched_setscheduler(thread, SCHED_OTHER | SCHED_RESET_ON_FORK, int32(0));
    yieldProcessors();
    c.syscall(exitGroup, status, 0, 0, 0, 0, 0);
  }
  process.exit(status);
}

/** On Linux a thread has a nice value of its own (setpriority(2), "C library/kernel differences"). */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}

function lower(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended since.
  }
}
