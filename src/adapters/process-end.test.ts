import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { needs } from '../../test/requirements.ts';
import { watchProcessEnd } from './process-end.ts';

const skip = needs('linux');

for (const signal of ['SIGKILL', 'SIGTERM'] as const)
  test(`a process that ends by ${signal} is told of before it has given its memory back`, { skip }, async (t) => {
    const program = 'globalThis.kept = Buffer.alloc(100e6, 1); console.log("ready"); setInterval(() => {}, 1e6);';
    const keepAlive = setInterval(() => {}, 1000);
    t.after(() => clearInterval(keepAlive));
    // Any of its threads may be the last, which gives the memory back before it ends: one in four was the one that was watched alone.
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      const order: string[] = [];
      const ended = new Promise<void>((resolve) => {
        const watch = watchProcessEnd(child.pid!, () => {
          order.push('ended');
          resolve();
        });
        assert.equal(typeof watch, 'function', `${watch}`);
      });
      const closed = once(child.stdout, 'close').then(() => order.push('closed'));
      child.kill(signal);
      await ended;
      await closed;
      assert.deepEqual(order, ['ended', 'closed'], `round ${round}`);
    }
  });

test('a watch that is given up is quiet, and a process that is gone is refused', { skip }, async () => {
  const child = spawn(process.execPath, ['-e', 'console.log("ready"); setInterval(() => {}, 1e6);'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  let told = 0;
  const stop = watchProcessEnd(child.pid!, () => told++);
  assert.ok(typeof stop === 'function');
  stop();
  stop();
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(told, 0);
  assert.equal(
    watchProcessEnd(child.pid!, () => told++),
    'ESRCH',
  );
});
