/**
 * What has to be undone however a test ends: by itself, by a failure, by a signal, by the runner's limit of time. Processes end with us
 * in any case (`tied`); here are the files, control groups and namespaces.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const undoing = new Set<() => void>();

/** @param undo synchronous, and harmless when there is nothing (any more) to undo. @returns does it now, and never again. */
export function undoAtExit(undo: () => void): () => void {
  undoing.add(undo);
  return () => {
    if (undoing.delete(undo)) undo();
  };
}

/**
 * The words before a command that put it into process and mount namespaces of its own, which end with us even if we are killed. When the
 * first process in there ends, the kernel ends all others and unmounts what was mounted.
 */
export const tied: readonly string[] = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--pid', '--mount', '--mount-proc', '--propagation', 'private', '--kill-child=KILL'],
];

/** Removes a control group and those in it, once the last process in them has been reaped (2 s at most). */
export function removeGroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  for (let tries = 0; ; tries++)
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (tries === 100 || (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      sleepMs(20);
    }
}

/** Blocks this thread. For what can't be awaited any more. */
export function sleepMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

process.on('exit', () => {
  // The last thing made stands on those before it.
  for (const undo of [...undoing].reverse())
    try {
      undo();
    } catch (error) {
      // Whoever reads our output may have ended before us.
      process.exitCode ||= 1;
      if (process.stderr.writable) process.stderr.write(`${error}\n`);
    }
});
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
