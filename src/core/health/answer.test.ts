import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ascii } from '../http1/bytes.ts';
import { checkAnswerBytesMax } from '../limits.ts';
import { AnswerReader } from './answer.ts';
import { Expected } from './expect.ts';
import type { CheckResult } from './result.ts';

const status = new Expected(undefined);
const hello = new Expected({ kind: 'string', negate: false, pattern: 'hello', statuses: [] });
const notBye = new Expected({ kind: 'rstring', negate: true, pattern: 'by+e', statuses: [] });

/** Feeds the bytes in pieces of `size`, then the end. */
function read(expected: readonly Expected[], bytes: Uint8Array, size: number, isHead = false): CheckResult {
  const reader = new AnswerReader(expected, isHead);
  for (let at = 0; at < bytes.length; at += size) {
    const result = reader.received(bytes, at, Math.min(at + size, bytes.length));
    if (result !== undefined) return result;
  }
  return reader.ended();
}

test('how an answer is cut into pieces changes nothing', () => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye',
    'HTTP/1.0 200 OK\r\n\r\nwell, hello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n1\r\no\r\n0\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello',
    'no http at all\r\n\r\n',
  ];
  for (const expected of [[status], [hello], [notBye], [status, hello, notBye]])
    for (const answer of answers) {
      const whole = read(expected, ascii(answer), 100_000);
      for (const size of [1, 2, 3, 7, 20]) assert.deepEqual(read(expected, ascii(answer), size), whole, answer);
    }
});

test('all expectations must be met, the first that is not gives the reason', () => {
  const good = ascii('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  assert.deepEqual(read([status, hello, notBye], good, 9), { status: 'L7OK', code: 200, info: '' });
  const bad = ascii('HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nhello');
  assert.deepEqual(read([status, hello], bad, 9), { status: 'L7STS', code: 500, info: 'Oops' });
  const bye = ascii('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhellobye');
  assert.equal(read([hello, notBye], bye, 9).info, 'HTTP check matched unwanted content');
});

test('the answer to HEAD has no body', () => {
  const answer = ascii('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
  assert.deepEqual(read([status], answer, 9, true), { status: 'L7OK', code: 200, info: '' });
  assert.equal(read([hello], answer, 9, true).info, 'HTTP content check could not find a response body');
});

test('a body without end is judged by its beginning', () => {
  const reader = new AnswerReader([hello], false);
  const head = ascii('HTTP/1.0 200 OK\r\n\r\n');
  assert.equal(reader.received(head, 0, head.length), undefined);
  const more = new Uint8Array(checkAnswerBytesMax).fill(0x61);
  assert.equal(reader.received(more, 0, more.length)?.info, 'HTTP content check did not match');
});

test('whatever bytes come, there is a result and no exception', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(
          'HTTP/1.1 200 OK\r\n',
          'Content-Length: 4\r\n',
          'Transfer-Encoding: chunked\r\n',
          '\r\n',
          '5\r\nhello\r\n',
          '0\r\n\r\n',
        )
        .map(ascii),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 30 }), (parts, size) => {
      const bytes = new Uint8Array(parts.flatMap((part) => [...part]));
      for (const expected of [status, hello, notBye]) assert.ok(read([expected], bytes, size).status.startsWith('L7'));
    }),
  );
});
