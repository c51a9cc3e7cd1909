/**
 * Going to the background (HAProxy's `daemon` and -D, Keepalived's default). Node can't fork, so the program starts itself again,
 * detached, and the first one ends when the second says that it is up: whoever started it knows the outcome.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { libc } from '../adapters/libc.ts';

const marker = 'EVERGATE_DAEMON';
const readyDescriptor = 3;

/** In the first life: starts the second, waits for its word, and ends this process. In the second: returns. */
export async function daemonize(): Promise<void> {
  if (process.env[marker] === '1') return;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [marker]: '1' },
  });
  const status = await new Promise<number>((resolve) => {
    child.stdio[readyDescriptor]?.once('data', () => resolve(0));
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
  process.exit(status);
}

/** In the second life, once everything is bound: lets the first one end, and lets go of the terminal. */
export function daemonReady(): void {
  if (process.env[marker] !== '1') return;
  writeSync(readyDescriptor, 'ready\n');
  closeSync(readyDescriptor);
  delete process.env[marker];
  // Standard output and error of a daemon go nowhere, as HAProxy's and Keepalived's do; logs go to their targets.
  // Whoever started it may wait for their end.
  for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
  const nowhere = openSync('/dev/null', 'r+');
  for (const fd of [1, 2]) libc()?.dup2(nowhere, fd);
  closeSync(nowhere);
}
