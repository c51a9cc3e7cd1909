import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock, systemRandom } from './clock.ts';

test('alarms ring once, at or after their time, in order', async () => {
  const rung: string[] = [];
  const start = realClock.now();
  await new Promise<void>((resolve) => {
    const set = (name: string, afterMs: number, then: () => void = () => {}) => {
      const alarm = realClock.alarm(() => {
        assert.ok(realClock.now() >= start + afterMs, `${name} rang early`);
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

test('an alarm may be set again from its own ring, and one in the past rings soon', async () => {
  let rings = 0;
  await new Promise<void>((resolve) => {
    const alarm = realClock.alarm(() => {
      rings++;
      if (rings < 3) alarm.set(realClock.now() - 1000);
      else resolve();
    });
    alarm.set(0);
  });
  assert.equal(rings, 3);
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
