/** The comparison itself: what it must see, and what it must overlook. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './compare.ts';
import { messageLines, methodsIn, readMessage, readResponses } from './http-text.ts';
import type { Scenario } from './scenario.ts';

const scenario: Scenario = { title: 't', config: '', clients: [] };

function same(reference: string[], tested: string[], change: Partial<Scenario> = {}, name = 'evergate') {
  const observed = (lines: string[]) => ({ lines, output: '' });
  return compare({ ...scenario, ...change }, observed(reference), observed(tested), name);
}

const line = (timers: string, rest = '200 50 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"') =>
  `log <134>Nov 22 08:08:44 haproxy[{pid}]: 127.0.0.1:{client 1} [22/Nov/2026:08:08:44.713] web servers/a ${timers} ${rest}`;

test('dates, the tag and small differences of timers are overlooked', () => {
  const other = line('0/0/0/90/91').replace('haproxy[', 'evergate[').replaceAll('08:08:44', '08:09:01');
  assert.equal(same([line('0/0/0/2/2')], [other]).same, true);
});

test('large differences of timers, -1, and every other field are seen', () => {
  const reference = line('0/0/0/2/2');
  for (const other of [
    line('0/0/0/1900/1900'),
    line('0/0/0/-1/2'),
    line('0/0/0/2/+2'),
    line('0/0/0/2/2', '200 51 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"'),
    line('0/0/0/2/2', '200 50 - - SD-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"'),
    reference.replace('<134>', '<131>'),
  ])
    assert.equal(same([reference], [other]).same, false, other);
});

test('missing, additional and exchanged lines are seen', () => {
  assert.equal(same(['a', 'b'], ['a']).report, '  haproxy   b');
  assert.equal(same(['a'], ['a', 'b']).report, '  evergate  b');
  assert.equal(same(['a', 'b'], ['b', 'a']).same, false);
  assert.equal(same(['a', 'b'], ['b', 'a'], { unordered: true }).same, true);
});

test('a scenario that HAProxy itself cannot play is wrong, whatever the other does', () => {
  assert.equal(same(['exited'], ['exited']).same, false);
  const waited = ['client 1: open', 'client 1  waited in vain for {"end":true}'];
  assert.equal(same(waited, waited).same, false);
});

test('a deviation demands what it describes, of Evergate only', () => {
  const deviation = { why: 'w', lines: ['client 1'], evergate: [/400/, /^(?![\s\S]*200)/] };
  assert.equal(same(['client 1 200', 'log x'], ['client 1 400', 'log x'], { deviation }).same, true);
  assert.equal(same(['client 1 200', 'log x'], ['client 1 400', 'log y'], { deviation }).same, false);
  assert.equal(same(['client 1 200'], ['client 1 200'], { deviation }).same, false);
  assert.equal(same(['client 1 200'], ['client 1 400'], { deviation }, 'again').same, false);
});

test('messages are read from their bytes', () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nB: 2\r\na: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n';
  const message = readMessage(chunked, 0, false, false);
  assert.ok(message);
  assert.deepEqual(messageLines(message), [
    'HTTP/1.1 200 OK',
    '  a: 1',
    '  b: 2',
    '  transfer-encoding: chunked',
    '  (chunked) "abcde\\r\\n[trailers] T: 1"',
  ]);
  assert.equal(message.end, chunked.length);
  for (let cut = 0; cut < chunked.length; cut++)
    assert.notEqual(readMessage(chunked.slice(0, cut), 0, true, false)?.complete, true);
  const two =
    'HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab';
  const read = readResponses(two, methodsIn('HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n'), false);
  assert.deepEqual([read.responses.length, read.finals, read.rest], [3, 2, 'b']);
});
