import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnyBase, parseBoolean, parseDecimal, parseInteger } from './values.ts';

test('whole numbers are decimal, with a leading 0 too', () => {
  assert.equal(parseInteger('010'), 10);
  assert.equal(parseInteger('-5'), -5);
  for (const text of ['0x8', '1.5', '', ' 1', '1 ', '5s', '1e3', '9'.repeat(16)])
    assert.equal(parseInteger(text), undefined);
});

test('marks and masks may be octal and hexadecimal', () => {
  assert.deepEqual(['0x3f', '077', '24'].map(parseAnyBase), [63, 63, 24]);
  assert.equal(parseAnyBase('0xg'), undefined);
});

test('seconds have up to six decimals', () => {
  assert.deepEqual(['0.92', '.5', '3.', '0.0000014'].map(parseDecimal), [0.92, 0.5, 3, 0.000001]);
  for (const text of ['-1', '1.2.3', '1s', 'NaN', '']) assert.equal(parseDecimal(text), undefined);
});

test('on and off', () => {
  assert.deepEqual(['on', 'true', 'yes'].map(parseBoolean), [true, true, true]);
  assert.deepEqual(['off', 'false', 'no', 'ON'].map(parseBoolean), [false, false, false, undefined]);
});
