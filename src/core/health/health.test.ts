import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Expected } from './expect.ts';
import { healthAfter, healthMax, healthText, intervalAfter, isUp, startingHealth } from './health.ts';
import { reasonText } from './result.ts';

const rules = fc.record({ rise: fc.integer({ min: 1, max: 10 }), fall: fc.integer({ min: 1, max: 10 }) });

test('exactly rise successes in a row bring a server up, exactly fall failures take it down', () => {
  fc.assert(
    fc.property(rules, fc.array(fc.boolean()), (rule, results) => {
      let health = healthMax(rule);
      let isNowUp = true;
      let inRow = 0;
      for (const passed of results) {
        health = healthAfter(health, passed, rule);
        // The same in the manual's words: only results against the present state count, and only in a row.
        inRow = passed === isNowUp ? 0 : inRow + 1;
        if (inRow === (isNowUp ? rule.fall : rule.rise)) {
          isNowUp = !isNowUp;
          inRow = 0;
        }
        // A success while down, broken off by a failure, starts again from nothing.
        assert.equal(isUp(health, rule), isNowUp);
        assert.ok(health >= 0 && health <= healthMax(rule));
      }
    }),
  );
});

test('a server starts up, and its first result decides', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const first = startingHealth(rule);
      assert.ok(isUp(first, rule));
      assert.equal(healthAfter(first, false, rule), 0);
      assert.equal(healthAfter(first, true, rule), healthMax(rule));
    }),
  );
});

test('the interval follows the state', () => {
  const rule = { rise: 2, fall: 3, intervalMs: 1, fastIntervalMs: 2, downIntervalMs: 3 };
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((health) => intervalAfter(health, rule)),
    [3, 2, 2, 2, 1],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((health) => healthText(health, rule, 1)),
    ['0/2 DOWN', '1/2 DOWN', '1/3 UP', '2/3 UP', '3/3 UP'],
  );
  assert.equal(healthText(4, rule, 0), '3/3 DRAIN');
});

test('without an expectation 200 to 399 will do', () => {
  const plain = new Expected(undefined);
  assert.deepEqual(
    [199, 200, 302, 399, 400].map((status) => plain.judgeStatus(status, 'x').status),
    ['L7STS', 'L7OK', 'L7OK', 'L7OK', 'L7STS'],
  );
});

test('text of other than ASCII is compared as bytes', () => {
  const expected = new Expected({ kind: 'string', negate: false, pattern: 'grün', statuses: [] });
  assert.equal(expected.judgeBody(200, 'ist gr\xc3\xbcn.', true)?.status, 'L7OK');
});

test('what a server says cannot break the log line', () => {
  assert.equal(
    reasonText({ status: 'L7STS', code: 500, info: 'a"b<c>\x00\xff' }, 12.7),
    ', reason: Layer7 wrong status, code: 500, info: "a<22>b<3C>c<3E><00><FF>", check duration: 12ms',
  );
});
