/**
 * What of this process is in memory, and stays there.
 *
 * After its start a daemon uses a fraction of its program: parser, compiler and much of Node itself were for the start. `releaseProgram` takes
 * what is mapped from files out of the process; what is needed comes back with the next call, from the page cache, in a microsecond.
 *
 * `keepInMemory` keeps the process in memory, as `vrrp_no_swap` asks: pages that were evicted come back from the disk one by one, and the advertisement waits.
 *
 * Locked is what the program is made of: its text and data and those of its libraries, which are evicted under pressure even where there is
 * no swap, its C heap and stack. V8's heap can't be (mlockall(2) would): V8 gives pages back with madvise(MADV_DONTNEED), the kernel refuses that
 * for locked ones, and V8 then ends the process. It is anonymous memory, which only swap can take; a cgroup without swap keeps it.
 */
import { readFileSync } from 'node:fs';
import { errno, errorName, libc } from './libc.ts';

/** mlock2(2) by its number: not every C library has the function. */
const mlock2: number | undefined = { x64: 325, arm64: 284 }[process.arch as string];
const MADV_DONTNEED = 4;
/** Pages are locked as they come: what is never used takes no memory. */
const MLOCK_ONFAULT = 1;

let locked = false;

/** Nothing is lost: only mappings that can't be written, and of which no page ever was (relocations), are let go. Does nothing while they are locked. */
export function releaseProgram(): void {
  const c = libc();
  if (c === undefined || locked) return;
  for (const { start, end } of unwrittenMappings(textOf('/proc/self/smaps') ?? ''))
    c.madvise(start, end - start, MADV_DONTNEED);
}

/** Of proc(5)'s smaps: what came from a file, as it is there. */
export function unwrittenMappings(smaps: string): { readonly start: number; readonly end: number }[] {
  const found = [];
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const fields = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+\s+\//.exec(mapping);
    if (fields === null || !/^Anonymous:\s+0 kB$/m.test(mapping)) continue;
    found.push({ start: Number.parseInt(fields[1]!, 16), end: Number.parseInt(fields[2]!, 16) });
  }
  return found;
}

/**
 * @param wanted false undoes it, for a reload without the word.
 * @returns one line for what could not be had, with the remedy; undefined when all is as wanted.
 */
export function keepInMemory(wanted: boolean): string | undefined {
  if (!wanted) {
    if (locked) libc()?.munlockall();
    locked = false;
    return undefined;
  }
  // Locked are the pages that are here and those to come: not those that the start alone needed.
  releaseProgram();
  const failure = lockProgram();
  if (failure !== undefined) {
    // Not a part of it, which would be neither here nor there.
    libc()?.munlockall();
    locked = false;
    return failure === 'ENOMEM' || failure === 'EPERM'
      ? `Unable to lock process in memory - ${failure}: give it CAP_IPC_LOCK, or LimitMEMLOCK=infinity in its systemd unit`
      : `Unable to lock process in memory - ${failure}`;
  }
  locked = true;
  return swapReaches()
    ? "The program is locked in memory, JavaScript's heap can't be: MemorySwapMax=0 in the systemd unit keeps it from the swap"
    : undefined;
}

function lockProgram(): string | undefined {
  const c = libc();
  if (c === undefined || mlock2 === undefined) return 'ENOSYS';
  for (const { start, end } of programMappings(readFileSync('/proc/self/maps', 'utf8')))
    if (c.syscall(mlock2, start, end - start, MLOCK_ONFAULT, 0, 0, 0) < 0) return errorName(errno());
  return undefined;
}

/** Of proc(5)'s maps: what came from a file, and what is named [heap] and [stack]. What has no name is V8's, or a thread's. */
export function programMappings(maps: string): { readonly start: number; readonly end: number }[] {
  const found = [];
  for (const line of maps.split('\n')) {
    const fields = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+\s+(\S.*)$/.exec(line);
    if (fields === null || !/^(?:\/|\[heap\]|\[stack\])/.test(fields[3]!) || fields[3]!.startsWith('/dev/')) continue;
    found.push({ start: Number.parseInt(fields[1]!, 16), end: Number.parseInt(fields[2]!, 16) });
  }
  return found;
}

/** The machine has swap, and no cgroup above this process forbids it. */
function swapReaches(): boolean {
  const swaps = textOf('/proc/swaps');
  if (swaps !== undefined && swaps.trim().split('\n').length < 2) return false;
  const group = /^0::(\/.*)$/m.exec(textOf('/proc/self/cgroup') ?? '')?.[1];
  for (
    let path = group;
    path !== undefined && path !== '' && path !== '/';
    path = path.slice(0, path.lastIndexOf('/'))
  ) {
    if (textOf(`/sys/fs/cgroup${path}/memory.swap.max`)?.trim() === '0') return false;
  }
  return true;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
