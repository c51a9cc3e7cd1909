/** Properties of the reader over chance: no exception, no reading beyond the end, the same result however the bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headBytesMax, headerFieldsMax } from '../limits.ts';
import { BodyReader } from './body.ts';
import { text } from './bytes.ts';
import { Head } from './head.ts';
import { readRequest } from './read-request.ts';
import { readResponse } from './read-response.ts';
import { Output, writeFields } from './write.ts';

const runs = Number(process.env['EVERGATE_FUZZ_RUNS'] ?? 2_000);
const head = new Head(headerFieldsMax);

/** Pieces of which messages are made, right and wrong; chance puts them together. */
const words = [
  'GET ',
  'POST ',
  '/',
  '* ',
  'http://x/ ',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.1 200 OK',
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ': ',
  ':',
  ' ',
  '\t',
  'Host: x\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 6\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Connection: upgrade, foo\r\n',
  'Upgrade: websocket\r\n',
  'Foo: bar\r\n',
  'TE: trailers\r\n',
  '\0',
  '\x80',
  'a',
  '0',
  '5',
  ',',
  ';a=b',
  '"',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
];
const message = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 30,
  })
  .map((parts) => Uint8Array.from(Buffer.from(parts.join(''), 'latin1')));
const likely = message.map((tail) => Uint8Array.from([...Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n'), ...tail]));

for (const [name, read] of [
  ['requests', readRequest],
  ['responses', readResponse],
] as const)
  test(`${name}: any bytes end in a result, and what was read is within them and can be written and read again`, () => {
    fc.assert(
      fc.property(fc.oneof(message, likely), (bytes) => {
        const result = read(head, bytes, 0, bytes.length, headBytesMax);
        assert.ok(result <= bytes.length);
        if (result < 0) assert.ok(head.error !== undefined);
        if (result <= 0) return;
        assert.equal(head.end, result);
        for (let i = 0; i < head.count * 4; i++) assert.ok(head.offsets[i]! <= result);
        const out = new Output(16);
        out.append(Buffer.from(name === 'requests' ? 'GET / HTTP/1.1\r\n' : 'HTTP/1.1 200 OK\r\n'));
        writeFields(out, head, { upgrade: false, dropEncoding: false, dropLength: head.chunked, dropExpect: false });
        out.crlf();
        const { chunked, contentLength, hostStart } = head;
        const again = readRequestOrResponse(read, out, hostStart < 0);
        assert.equal(again, out.length, text(out.bytes, 0, out.length));
        assert.deepEqual([head.chunked, head.contentLength], [chunked, contentLength]);
        assert.equal(head.connectionClose || head.hasConnection || head.nominatedCount > 0, false);
      }),
      { numRuns: runs },
    );
  });

function readRequestOrResponse(read: typeof readRequest, out: Output, hostless: boolean): number {
  const result = read(head, out.bytes, 0, out.length, headBytesMax * 2);
  // A request of HTTP/1.0 may lack Host; our first line says 1.1.
  return result < 0 && hostless && head.error === 'host-missing' ? out.length : result;
}

test('a head is read the same with more bytes behind it, and never from fewer', () => {
  fc.assert(
    fc.property(likely, fc.string(), (bytes, tail) => {
      const result = readRequest(head, bytes, 0, bytes.length, headBytesMax);
      const error = head.error;
      const longer = Uint8Array.from([...bytes, ...Buffer.from(tail)]);
      if (result > 0) {
        assert.equal(readRequest(head, longer, 0, longer.length, headBytesMax), result);
        for (let length = 0; length < result; length++)
          assert.ok(readRequest(head, bytes, 0, length, headBytesMax) <= 0, `whole after ${length} of ${result}`);
      } else if (result < 0) {
        assert.equal(readRequest(head, longer, 0, longer.length, headBytesMax), -1);
        assert.equal(head.error, error);
      }
    }),
    { numRuns: Math.ceil(runs / 10) },
  );
});

test('a body is the same however it is cut', () => {
  const kinds = fc.constantFrom('chunked' as const, 'length' as const);
  const chunked = fc
    .array(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.constantFrom('5\r\nhello\r\n', 'a;x="y"\r\n0123456789\r\n', '0\r\n\r\n', '0\r\nA: b\r\n\r\n'),
        },
        { weight: 1, arbitrary: fc.constantFrom(...words) },
      ),
      { maxLength: 8 },
    )
    .map((parts) => Uint8Array.from(Buffer.from(parts.join(''), 'latin1')));
  fc.assert(
    fc.property(chunked, kinds, fc.array(fc.nat(7), { maxLength: 100 }), (bytes, kind, cuts) => {
      assert.deepEqual(readAll(kind, bytes, cuts), readAll(kind, bytes, []));
    }),
    { numRuns: runs },
  );
});

function readAll(kind: 'chunked' | 'length', bytes: Uint8Array, cuts: readonly number[]) {
  const reader = new BodyReader();
  reader.begin(kind, 20);
  let data = '';
  let at = 0;
  let cut = 0;
  while (at < bytes.length && !reader.done && reader.error === undefined) {
    const end = cut < cuts.length ? Math.min(bytes.length, at + 1 + cuts[cut++]!) : bytes.length;
    while (at < end && !reader.done && reader.error === undefined) {
      at = reader.read(bytes, at, end);
      data += text(bytes, reader.dataStart, reader.dataEnd);
    }
  }
  const trailer = text(reader.trailer, 0, reader.trailerLength);
  return { data, at, trailer, done: reader.done, error: reader.error };
}
