import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../sim/clock.ts';
import { Timer, TimerWheel } from './timer-wheel.ts';

test('every timer expires once, at the first whole millisecond after its deadline, however often it was moved', () => {
  const command = fc.record({
    timer: fc.nat(4),
    what: fc.constantFrom('arm', 'arm', 'arm', 'disarm', 'remove'),
    ms: fc.oneof(
      fc.nat(5),
      fc.nat(3_000),
      fc.nat(5_000_000),
      fc.constantFrom(1023, 1024, 1025, 1024 * 1023, 1024 * 1024),
    ),
    wait: fc.oneof(fc.constant(0), fc.nat(10), fc.nat(2_500), fc.nat(2_000_000)),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const time = new VirtualTime();
      const wheel = new TimerWheel(time);
      const expected = new Map<Timer, number>();
      const timers = Array.from({ length: 5 }, () => {
        const timer: Timer = new Timer({
          expired: () => {
            assert.equal(time.now(), Math.ceil(expected.get(timer) ?? -1));
            expected.delete(timer);
          },
        });
        return timer;
      });
      for (const { timer, what, ms, wait } of commands) {
        const one = timers[timer]!;
        if (what === 'arm') {
          // In the tick that has already been looked at nothing can expire any more.
          const at = time.now() + Math.max(ms, 1);
          wheel.arm(one, at);
          expected.set(one, at);
        } else {
          wheel[what](one);
          expected.delete(one);
        }
        time.run(time.now() + wait);
        for (const at of expected.values()) assert.ok(at > time.now(), `due ${at}, now ${time.now()}`);
      }
      time.run(time.now() + 20_000_000);
      assert.equal(expected.size, 0);
    }),
    { numRuns: 500 },
  );
});

test('a timer may arm itself and others when it expires', () => {
  const time = new VirtualTime();
  const wheel = new TimerWheel(time);
  const rings: number[] = [];
  const timer = new Timer({
    expired: () => {
      rings.push(time.now());
      if (rings.length < 5) wheel.arm(timer, time.now() + 700);
    },
  });
  wheel.arm(timer, 700);
  time.run(10_000);
  assert.deepEqual(rings, [700, 1400, 2100, 2800, 3500]);
});
