import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { linesOf } from './control-channel.ts';

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

test('lines come whole, however they were cut, both ways; the end of the launcher is told', async () => {
  const program = `
  import { controlChannel } from ${JSON.stringify(new URL('control-channel.ts', import.meta.url).href)};
  const alive = setTimeout(() => {}, 10_000);
  const channel = controlChannel('3', (line) => channel.say('heard ' + line.length + ' ' + line.slice(-5)), () => {
    clearTimeout(alive);
    console.log('ended');
  });
  channel.say('started');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const channel = child.stdio[3] as Socket;
  const lines: string[] = [];
  linesOf(channel, (line) => {
    lines.push(line);
    if (line === 'started') channel.write('beat\nnot-serving wör');
    if (line === 'heard 4 beat') channel.write(`${'x'.repeat(3_000)}ü\nlast\n`);
    if (lines.length === 4) channel.end();
  });
  let out = '';
  child.stdout!.on('data', (text) => {
    out += text;
  });
  await once(child, 'close');
  assert.deepEqual(lines, [
    'started',
    'heard 4 beat',
    `heard ${'not-serving wör'.length + 3_001} xxxxü`,
    'heard 4 last',
  ]);
  assert.equal(out, 'ended\n');
});

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
