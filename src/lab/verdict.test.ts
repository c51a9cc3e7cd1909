import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeRecord } from './prober/outage.ts';
import { parseServiceLevel } from './service-level.ts';
import { type CheckedPrediction, heldTimes, judge, type Observation, summariseTrials } from './verdict.ts';

const request = (started: number, ms: number, outcome: ProbeRecord['outcome'] = 'ok', used = false): ProbeRecord => ({
  due: started,
  started,
  finished: started + ms,
  outcome,
  status: outcome === 'ok' ? 200 : 0,
  server: 'one',
  kind: used ? 'keep-alive' : 'new',
  onUsedConnection: used,
});

const prediction: CheckedPrediction = {
  active: ['lb2'],
  settled: ['lb2'],
  outageMaxMs: 100,
  formula: 'as the file says',
  at: 0,
  step: 'kill balancer on lb1',
  seen: ['lb2'],
  held: true,
};

const observed = (change: Partial<Observation>): Observation => ({
  drill: { name: 'd', title: 'D', about: '', before: [], steps: [], expect: {} },
  engine: 'evergate',
  trial: 1,
  from: -300,
  to: 2000,
  records: Array.from({ length: 400 }, (_, i) => request(i * 5, 1)),
  stalls: [],
  keptClosed: 0,
  marks: [],
  states: [],
  holdings: [{ node: 'lb1', from: -300, to: 2000, text: '' }],
  predictions: [prediction],
  unmet: [],
  unclean: [],
  ...change,
});

const outageOf = (ms: number) =>
  Array.from({ length: 400 }, (_, i) => request(i * 5, 1, i * 5 < ms ? 'refused' : 'ok'));

test('all well passes', () => {
  const verdict = judge(observed({}), {});
  assert.equal(verdict.passed, true);
  assert.equal(verdict.failed, 0);
  assert.equal(verdict.noneHeldMs, 0);
});

test('an outage within the predicted time and its allowance passes, a longer one does not', () => {
  assert.equal(judge(observed({ records: outageOf(200) }), {}).passed, true);
  const verdict = judge(observed({ records: outageOf(400) }), {});
  assert.equal(verdict.predictionHeld, false);
  assert.deepEqual(verdict.reasons, ['outage of 401 ms, predicted at most 100 ms']);
});

test('what the operator allows counts beside what the drill expects', () => {
  const records = outageOf(50);
  assert.equal(judge(observed({ records }), { failed: 10 }).passed, true);
  assert.deepEqual(judge(observed({ records }), { failed: 9 }).reasons, ['10 failed requests, at most 9 allowed']);
  assert.equal(judge(observed({ records }), { outageMs: 40 }).passed, false);
});

test('another node than predicted, a condition that never came and a mess left behind do not pass', () => {
  const wrong = { ...prediction, seen: ['lb1'], held: false };
  assert.match(judge(observed({ predictions: [wrong] }), {}).reasons[0] ?? '', /lb2 predicted as active, lb1 seen/);
  assert.deepEqual(judge(observed({ unmet: ['settled: not within 20 s'] }), {}).reasons, ['settled: not within 20 s']);
  assert.equal(judge(observed({ unclean: ['lb1 FAULT'] }), {}).clean, false);
});

test('a kept connection lost between requests is no failed request; one broken inside an exchange is', () => {
  const lost = judge(observed({ records: [request(0, 1), request(5, 1, 'reset', true), request(10, 1)] }), {});
  assert.deepEqual([lost.failed, lost.keptLost, lost.broken], [0, 1, 0]);
  const broken = judge(observed({ records: [request(0, 1), request(5, 1, 'reset'), request(10, 1)] }), {});
  assert.deepEqual([broken.failed, broken.keptLost, broken.broken], [1, 0, 1]);
});

test('how long two held the address, and how long none did', () => {
  const band = (node: string, from: number, to: number) => ({ node, from, to, text: '' });
  assert.deepEqual(heldTimes([band('lb1', 0, 100), band('lb2', 80, 300)], 0, 400), { bothHeldMs: 20, noneHeldMs: 100 });
  assert.deepEqual(heldTimes([], 0, 50), { bothHeldMs: 0, noneHeldMs: 50 });
});

test('trials: median, worst, and every reason once', () => {
  const verdicts = [50, 400, 30].map((ms) => judge(observed({ records: outageOf(ms) }), {}));
  const summary = summariseTrials(observed({}).drill, verdicts);
  assert.deepEqual(summary.outageMs, { median: 51, worst: 401 });
  assert.deepEqual(summary.failed, { median: 10, worst: 80 });
  assert.equal(summary.passed, 2);
  assert.equal(summary.reasons.length, 1);
});

test('--slo', () => {
  assert.deepEqual(parseServiceLevel('outage=500ms, failed=0'), { outageMs: 500, failed: 0 });
  assert.deepEqual(parseServiceLevel(''), {});
  assert.match(parseServiceLevel('latency=1') as string, /"latency=1" is none of/);
  assert.match(parseServiceLevel('failed=') as string, /none of/);
});
