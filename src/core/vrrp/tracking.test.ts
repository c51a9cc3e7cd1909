import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runningPriority, type Tracked } from './tracking.ts';

const base = 100;
const tracked = (weight: number, result: Tracked['result'], reverse = false): Tracked => ({
  name: 'script chk',
  weight,
  reverse,
  result,
});
const priority = (...objects: Tracked[]) => runningPriority(base, objects).priority;

test('facts 20: weights of both signs, and reverse', () => {
  assert.equal(priority(tracked(2, 'well')), 102);
  assert.equal(priority(tracked(2, 'failed')), 100);
  assert.equal(priority(tracked(-2, 'well')), 100);
  assert.equal(priority(tracked(-2, 'failed')), 98);
  assert.equal(priority(tracked(2, 'well', true)), 98);
  assert.equal(priority(tracked(2, 'failed', true)), 100);
  assert.equal(priority(tracked(-2, 'well', true)), 100);
  assert.equal(priority(tracked(-2, 'failed', true)), 102);
  assert.equal(priority(tracked(2, 'unknown'), tracked(-2, 'unknown')), 100);
});

test('facts 20 and 22: weight 0 is a fault, or pending before the first result', () => {
  assert.deepEqual(runningPriority(base, [tracked(0, 'failed')]).faults, ['script chk failed']);
  assert.deepEqual(runningPriority(base, [tracked(0, 'well', true)]).faults, ['script chk is up']);
  assert.deepEqual(runningPriority(base, [tracked(0, 'failed', true), tracked(0, 'well')]).faults, []);
  assert.deepEqual(runningPriority(base, [tracked(0, 'unknown')]).pending, ['script chk']);
});

test('facts 19: clamped to 1..254, and the owner is immune', () => {
  assert.equal(priority(tracked(253, 'well')), 254);
  assert.equal(priority(tracked(-253, 'failed')), 1);
  assert.equal(runningPriority(255, [tracked(-20, 'failed')]).priority, 255);
});

test('a file counts by its number times the weight; below -253 it is a fault', () => {
  assert.equal(priority(tracked(3, 5)), 115);
  assert.equal(priority(tracked(-3, 5)), 85);
  assert.deepEqual(runningPriority(base, [tracked(0, 1)]).faults.length, 1);
  assert.deepEqual(runningPriority(base, [tracked(0, 0)]).faults.length, 0);
  assert.deepEqual(runningPriority(base, [tracked(1, -254)]).faults, ['script chk says -254']);
  assert.deepEqual(runningPriority(base, [tracked(1, -253)]).faults, []);
});
