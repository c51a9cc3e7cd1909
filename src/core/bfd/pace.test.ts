/** The pace of sessions that nobody wrote: with the advertisements, and never faster than late processes allow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerBfd as limits } from '../limits.ts';
import { activeDownMs } from '../vrrp/intervals.ts';
import { ownPaceMs, patientMultiplier, peerPaceMs } from './pace.ts';

test('a second between advertisements leaves the usual pace, and nothing makes it faster than the fastest', () => {
  assert.equal(peerPaceMs(1000), limits.intervalMs);
  assert.equal(peerPaceMs(30), 30);
  assert.equal(peerPaceMs(10), limits.fastestMs);
  assert.equal(peerPaceMs(1), limits.fastestMs);
});

test('silence is noticed before VRRP does, whatever interval Keepalived takes', () => {
  for (const interval of [10, 20, 30, 40, 50, 100, 1000, 40_950])
    assert.ok(limits.multiplier * peerPaceMs(interval) < activeDownMs(3, 254, interval, 3), `${interval} ms`);
});

test('a node judges no faster than its own timers come, in steps', () => {
  const late = [0, limits.latenessForgivenMs, 7, 12, 200];
  assert.deepEqual(late.map(ownPaceMs), [0, 0, 10, 15, limits.intervalMs]);
});

test('a hiccup that the usual multiplier bears with anyhow does not slow a fast session', () => {
  assert.equal(patientMultiplier(10, 20), limits.multiplier);
  assert.equal(patientMultiplier(11, 20), limits.multiplier + 1);
  assert.equal(patientMultiplier(6, limits.intervalMs), limits.multiplier + 1);
});

test('whatever the pace, a late node gets the time that it was late, up to a second', () => {
  for (const pace of [15, 20, 37, 50])
    for (const late of [0, 5, 6, 60, 505, 5000]) {
      const silence = pace * patientMultiplier(late, pace);
      const wanted = Math.min(Math.max(0, late - pace / 2) + 2 * pace, limits.silenceMsMax - 100);
      assert.ok(silence >= wanted && silence <= limits.silenceMsMax + pace, `${late} ms late at ${pace}: ${silence}`);
      assert.ok(patientMultiplier(late, pace) <= 255);
    }
});
