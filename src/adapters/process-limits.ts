/** What the kernel grants this process and its threads: file descriptors, CPUs. */
import { readdirSync } from 'node:fs';
import { errno, errorName, libc } from './libc.ts';

/** RLIMIT_NOFILE on x86-64 and arm64. */
const descriptorLimit = 7;
const wordBits = 64;

/** File descriptors that this process may have (`ulimit -n`); undefined where nobody can say. */
export function descriptorsMax(): number | undefined {
  const limit = new BigUint64Array(2);
  const c = libc();
  if (c === undefined || c.getrlimit(descriptorLimit, new Uint8Array(limit.buffer)) < 0) return undefined;
  return Number(limit[0]);
}

/** Sets both of the process's limits of descriptors. @returns undefined, or why it was refused. */
export function setDescriptorsMax(count: number): string | undefined {
  const c = libc();
  if (c === undefined) return 'not Linux';
  const limit = new BigUint64Array([BigInt(count), BigInt(count)]);
  if (c.setrlimit(descriptorLimit, new Uint8Array(limit.buffer)) === 0) return undefined;
  const error = errorName(errno());
  return error === 'EPERM' ? 'it may only be raised by root (CAP_SYS_RESOURCE), up to fs.nr_open' : error;
}

/** Lets every thread of this process run on these CPUs only, and so those that come later. @returns undefined, or why it was refused. */
export function pinProcess(cpus: readonly number[]): string | undefined {
  for (const thread of readdirSync('/proc/self/task')) {
    const failure = pinThread(cpus, Number(thread));
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Lets a thread (by its number; by default this one) run on these CPUs only. @returns undefined, or why it was refused. */
export function pinThread(cpus: readonly number[], thread = 0): string | undefined {
  const c = libc();
  if (c === undefined) return 'not Linux';
  const set = new BigUint64Array(Math.floor(Math.max(...cpus) / wordBits) + 1);
  for (const cpu of cpus) set[Math.floor(cpu / wordBits)]! |= 1n << BigInt(cpu % wordBits);
  const bytes = new Uint8Array(set.buffer);
  if (c.sched_setaffinity(thread, bytes.length, bytes) === 0) return undefined;
  const error = errorName(errno());
  // A thread may have ended since it was looked up.
  if (error === 'ESRCH') return undefined;
  return error === 'EINVAL' ? 'the machine has none of them, or this process may not use them' : error;
}
