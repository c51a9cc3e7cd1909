import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const half = `
  import { controlChannel } from ${JSON.stringify(new URL('control-channel.ts', import.meta.url).href)};
  const alive = setTimeout(() => {}, 10_000);
  const channel = controlChannel('3', () => {}, () => {
    clearTimeout(alive);
    console.log('stops in an orderly way');
  });
  channel.say('beat');
  console.log('said');
  process.on('exit', (status) => console.log('status ' + status));
`;
/** Starts the half, and never reads what it says. */
const launcher = `
  const argv = ['--input-type=module', '-e', ${JSON.stringify(half)}];
  require('node:child_process').spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
`;

test('a launcher that dies with lines unread resets the channel: its half ends in an orderly way', async () => {
  const child = spawn(process.execPath, ['-e', launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const out = createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    if (line === 'said') child.kill('SIGKILL');
  });
  await once(out, 'close');
  assert.deepEqual(lines, ['said', 'stops in an orderly way', 'status 0']);
});
