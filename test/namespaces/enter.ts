/** Puts this test's own thread into a fresh network namespace: what it makes there is gone when the process ends. */
import { spawnSync } from 'node:child_process';
import { libc } from '../../src/adapters/libc.ts';

const CLONE_NEWNET = 0x40000000;

/** Only the calling thread and the processes it starts see the new network; each test file is a process of its own. */
export function enterNetworkNamespace(): void {
  if (libc()?.unshare(CLONE_NEWNET) !== 0) throw new Error('no new network namespace');
  ip('link set lo up');
}

/** Runs `ip` with these words and returns what it printed. */
export function ip(words: string): string {
  const result = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`ip ${words}: ${result.stderr}`);
  return result.stdout;
}
