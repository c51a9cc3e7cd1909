/** Moves this process into a network namespace that `ip netns` has named (net_namespace). */
import { closeSync, openSync } from 'node:fs';
import { errno, errorName, libc } from './libc.ts';

const CLONE_NEWNET = 0x40000000;

/**
 * To be called before anything opens a socket: sockets stay where they were made, and so do threads, which later ones inherit from.
 * @returns undefined, or why it failed.
 */
export function enterNetworkNamespace(name: string): string | undefined {
  const c = libc();
  if (c === undefined) return 'not Linux';
  if (name.includes('/')) return 'not a name';
  let fd: number;
  try {
    fd = openSync(`/run/netns/${name}`, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
  const failure = c.setns(fd, CLONE_NEWNET) === 0 ? undefined : errorName(errno());
  closeSync(fd);
  return failure;
}
