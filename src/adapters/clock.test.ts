import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { realClock, systemRandom } from './clock.ts';
import { loopClock } from './loop-clock.ts';

const clocks = { realClock, loopClock: loopClock() };

for (const [title, clock] of Object.entries(clocks)) {
  test(`${title}: alarms ring once, at or after their time, in order`, async () => {
    const rung: string[] = [];
    const start = clock.now();
    await new Promise<void>((resolve) => {
      const set = (name: string, afterMs: number, then: () => void = () => {}) => {
        const alarm = clock.alarm(() => {
          assert.ok(clock.now() >= start + afterMs, `${name} rang early`);
          rung.push(name);
          then();
        });
        alarm.set(start + afterMs);
        return alarm;
      };
      const never = set('never', 10);
      const moved = set('moved', 5);
      set('last', 50.5, resolve);
      moved.set(start + 20);
      never.clear();
      never.clear();
    });
    assert.deepEqual(rung, ['moved', 'last']);
  });

  test(`${title}: an alarm may be set again from its own ring, and one in the past rings soon`, async () => {
    let rings = 0;
    await new Promise<void>((resolve) => {
      const alarm = clock.alarm(() => {
        rings++;
        if (rings < 3) alarm.set(clock.now() - 1000);
        else resolve();
      });
      alarm.set(0);
    });
    assert.equal(rings, 3);
  });
}

test('a loop clock at rest, set further off and nearer, rings at the time that was set last', async () => {
  const clock = loopClock();
  const rung: number[] = [];
  const from = clock.now();
  const other = clock.alarm(() => assert.fail('it was cleared'));
  other.set(from + 15);
  await new Promise<void>((resolve) => {
    const alarm = clock.alarm(() => {
      rung.push(clock.now() - from);
      resolve();
    });
    alarm.set(from + 10_000);
    alarm.set(from + 2 ** 40);
    alarm.set(from + 30);
    setTimeout(() => other.clear(), 1);
  });
  assert.equal(rung.length, 1);
  assert.ok(rung[0]! >= 30 && rung[0]! < 5_000, `${rung[0]} ms`);
});

test('what a ring of the loop clock begins goes on at once: ticks, promises; an exception ends the process', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    loopClock()
      .alarm(() => {
        process.nextTick(() => order.push('tick'));
        void Promise.resolve().then(() => order.push('promise'));
        setImmediate(() => {
          order.push('immediate');
          resolve();
        });
      })
      .set(0);
  });
  assert.deepEqual(order, ['tick', 'promise', 'immediate']);
  const module = fileURLToPath(new URL('loop-clock.ts', import.meta.url));
  const thrown = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { loopClock } from ${JSON.stringify(module)};
loopClock().alarm(() => { throw new Error('ours'); }).set(0);`,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(thrown.status, 1);
  assert.match(thrown.stderr, /Error: ours/);
});

test('random words use all their bits', () => {
  const random = systemRandom();
  let all = 0xffff_ffff;
  let any = 0;
  for (let i = 0; i < 1000; i++) {
    const word = random.uint32();
    assert.ok(Number.isInteger(word) && word >= 0 && word < 2 ** 32);
    all &= word;
    any |= word;
  }
  assert.equal(all, 0);
  assert.equal(any >>> 0, 0xffff_ffff);
});
