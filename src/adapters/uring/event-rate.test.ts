import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRate } from './event-rate.ts';

test('the rate is that of the last whole window', () => {
  const rate = new EventRate(100);
  rate.count(200, 102);
  assert.equal(rate.perMs, 0);
  rate.count(200, 105);
  assert.equal(rate.perMs, 80);
  rate.count(10, 110);
  assert.equal(rate.perMs, 2);
});

test('a pause makes the next events rare', () => {
  const rate = new EventRate(0);
  rate.count(500, 5);
  rate.count(100, 1005);
  assert.equal(rate.perMs, 0.1);
});
