/** A process that runs out of descriptors: it goes on serving, doesn't spin, and takes the waiting connections when it can again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { needs } from '../requirements.ts';

const descriptorsMax = 60;
const clientCount = 80;

const skips = { net: needs('linux'), uring: needs('linux') || (uringAvailable() ?? false) };

for (const adapter of ['net', 'uring'] as const) {
  test(`${adapter}: without descriptors it waits, then goes on`, { skip: skips[adapter] }, async () => {
    const script = new URL('echo-process.ts', import.meta.url).pathname;
    const command = `ulimit -n ${descriptorsMax}; exec "$0" "$1" "$2"`;
    const child = spawn('sh', ['-c', command, process.execPath, script, adapter], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sockets: Socket[] = [];
    try {
      const [line] = await once(createInterface(child.stdout), 'line');
      let echoes = 0;
      let ended = 0;
      for (let i = 0; i < clientCount; i++) {
        const socket = connect(Number(line), '127.0.0.1');
        socket.once('data', () => echoes++);
        socket.on('error', () => {});
        socket.on('close', () => ended++);
        socket.write('x');
        sockets.push(socket);
      }
      while (echoes + ended < descriptorsMax / 3) await sleep(5);
      // The one thing here that only time can tell: a process that spins uses all of it.
      const before = ticks(child.pid!);
      await sleep(600);
      assert.ok(ticks(child.pid!) - before < 30, `${ticks(child.pid!) - before} of 60 ticks spent on nothing`);
      assert.equal(child.exitCode, null);
      const answered = echoes;
      assert.ok(answered < clientCount);
      // node:net drops a connection that it has no descriptor for; io_uring leaves it in the backlog. Nobody waits for ever.
      for (const socket of sockets.slice(0, clientCount - 10)) socket.destroy();
      while (echoes + ended < clientCount) await sleep(5);
      const late = connect(Number(line), '127.0.0.1');
      sockets.push(late);
      late.write('y');
      assert.equal(String((await once(late, 'data'))[0]), 'y');
    } finally {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    }
  });
}

function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
