/** What a thread that blocks in io_uring_enter must still do: all that Node does, and the clock's alarms. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { uringAvailable } from './available.ts';
import { uringWorld } from './streams.ts';

const skip = uringAvailable() ?? false;
const moduleUrl = new URL('streams.ts', import.meta.url).href;

/** Runs `body` in a worker thread whose loop is io_uring's; `world` and `parentPort` are in its scope. */
function worker(body: string): Worker {
  const text = `
    const { parentPort, workerData } = await import('node:worker_threads');
    const { uringWorld } = await import(${JSON.stringify(moduleUrl)});
    const world = uringWorld();
    ${body}
    parentPort.postMessage('ready');`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`));
}

async function next(from: Worker): Promise<unknown> {
  return (await once(from, 'message'))[0];
}

test('messages reach a thread that waits in the ring, and come back', { skip }, async () => {
  const thread = worker(`parentPort.on('message', (value) => parentPort.postMessage(value + 1));`);
  assert.equal(await next(thread), 'ready');
  for (let i = 0; i < 200; i++) {
    thread.postMessage(i);
    assert.equal(await next(thread), i + 1);
  }
  await thread.terminate();
});

test('timers, promises, immediates and files of Node go on', { skip }, async () => {
  const thread = worker(`
    parentPort.once('message', async () => {
      const steps = [];
      const start = performance.now();
      await new Promise((done) => setTimeout(done, 30));
      steps.push(performance.now() - start >= 29);
      await new Promise((done) => setImmediate(done));
      const { readFile } = await import('node:fs/promises');
      steps.push((await readFile('/proc/self/stat', 'utf8')).length > 0);
      await new Promise((done) => process.nextTick(done));
      parentPort.postMessage(steps);
    });`);
  await next(thread);
  thread.postMessage('go');
  assert.deepEqual(await next(thread), [true, true]);
  await thread.terminate();
});

test('a wake-up through shared memory reaches a thread that waits in the ring', { skip }, async () => {
  const thread = worker(`
    parentPort.once('message', (cell) => {
      const wait = () => {
        const { value } = Atomics.waitAsync(cell, 0, Atomics.load(cell, 0));
        value.then(() => {
          parentPort.postMessage(Atomics.load(cell, 0));
          wait();
        });
      };
      wait();
      parentPort.postMessage('waits');
    });`);
  await next(thread);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  thread.postMessage(cell);
  assert.equal(await next(thread), 'waits');
  for (let i = 1; i <= 20; i++) {
    await sleep(2);
    const answer = next(thread);
    Atomics.store(cell, 0, i);
    Atomics.notify(cell, 0);
    assert.equal(await answer, i);
  }
  await thread.terminate();
});

test('what an alarm leaves to Node (ticks, promises) is done without another event', { skip }, async () => {
  const thread = worker(`
    parentPort.once('message', () => {
      world.clock.alarm(() => {
        process.nextTick(() => Promise.resolve().then(() => parentPort.postMessage('later')));
      }).set(world.clock.now() + 20);
    });`);
  await next(thread);
  thread.postMessage('go');
  assert.equal(await next(thread), 'later');
  await thread.terminate();
});

test('a thread that waits in the ring can be terminated, and uses no time until then', { skip }, async () => {
  const thread = worker('');
  await next(thread);
  const before = process.cpuUsage();
  await sleep(300);
  const used = process.cpuUsage(before);
  assert.ok(used.user + used.system < 100_000, `${used.user + used.system} µs of 300 ms`);
  const exited = once(thread, 'exit');
  await thread.terminate();
  await exited;
});

test('alarms ring once, at or after their time, in order; clear and set anew hold', { skip }, async () => {
  const { clock, close } = uringWorld();
  const rung: string[] = [];
  const start = clock.now();
  const done = new Promise<void>((resolve) => {
    const alarm = (name: string, afterMs: number, then: () => void = () => {}) => {
      const one = clock.alarm(() => {
        assert.ok(clock.now() >= start + afterMs, `${name} rang early`);
        rung.push(name);
        then();
      });
      one.set(start + afterMs);
      return one;
    };
    alarm('c', 60, () => resolve());
    alarm('a', 15);
    const never = alarm('never', 25);
    const moved = alarm('moved', 40);
    moved.set(start + 50);
    alarm('b', 20, () => never.clear());
    never.clear();
    never.clear();
  });
  await done;
  assert.deepEqual(rung, ['a', 'b', 'moved', 'c']);
  close();
});

test('after a turn that took too long, alarms that are due ring in the order of their times', { skip }, async () => {
  const { clock, close } = uringWorld();
  const rung: number[] = [];
  const start = clock.now();
  await new Promise<void>((resolve) => {
    for (const afterMs of [30, 10, 40, 20])
      clock
        .alarm(() => {
          rung.push(afterMs);
          if (rung.length === 4) resolve();
        })
        .set(start + afterMs);
    for (const end = performance.now() + 60; performance.now() < end; );
  });
  assert.deepEqual(rung, [10, 20, 30, 40]);
  close();
});
