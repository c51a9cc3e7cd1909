/** The reader, rule by rule. HG n = a bug class of the HTTP Garden project; section numbers are RFC 9112's unless told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headBytesMax, headerFieldsMax } from '../limits.ts';
import { BodyReader } from './body.ts';
import { text } from './bytes.ts';
import { Head, type MessageError } from './head.ts';
import { readRequest } from './read-request.ts';
import { isBodyless, readResponse } from './read-response.ts';

const head = new Head(headerFieldsMax);
const bytes = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));

function request(value: string): MessageError | 'incomplete' | 'read' {
  const buffer = bytes(value);
  const result = readRequest(head, buffer, 0, buffer.length, headBytesMax);
  if (result > 0) assert.ok(result <= buffer.length);
  return result > 0 ? 'read' : result === 0 ? 'incomplete' : head.error!;
}

function response(value: string): MessageError | 'incomplete' | 'read' {
  const buffer = bytes(value);
  const result = readResponse(head, buffer, 0, buffer.length, headBytesMax);
  return result > 0 ? 'read' : result === 0 ? 'incomplete' : head.error!;
}

const get = (fields: string, line = 'GET / HTTP/1.1') => request(`${line}\r\nHost: x\r\n${fields}\r\n`);

const requests: readonly (readonly [name: string, outcome: ReturnType<typeof request>, bytes: string])[] = [
  ['plain', 'read', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['empty lines before are ignored (§2.2)', 'read', '\r\n\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['bare LF as line end (§2.2, HG 16)', 'read', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['bare CR after the line (HG 2, 35)', 'version', 'GET / HTTP/1.1\rHost: x\r\n\r\n'],
  ['two spaces (§3, HG 15)', 'target', 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['tab as separator', 'method', 'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['LF inside the request line (HG 40)', 'target', 'GET /\n HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no target', 'target', 'GET HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['method is no token (HG 5)', 'method', 'G[T / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['empty method', 'method', ' / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP/0.9', 'target', 'GET /\r\n\r\n'],
  ['HTTP/2.0', 'version', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n'],
  ['version of two digits (HG 24)', 'version', 'GET / HTTP/1.10\r\nHost: x\r\n\r\n'],
  ['lower-case version (HG 9)', 'version', 'GET / http/1.1\r\nHost: x\r\n\r\n'],
  ['version with a letter', 'version', 'GET / HTTP/1.a\r\nHost: x\r\n\r\n'],
  ['space behind the version', 'version', 'GET / HTTP/1.1 \r\nHost: x\r\n\r\n'],
  ['# in the target', 'target', 'GET /#a HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['bytes above 0x7e in the target', 'target', 'GET /\xe4 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['NUL in the target', 'target', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['target that is no path (§3.2)', 'target', 'GET x HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['* only for OPTIONS (§3.2.4)', 'target', 'GET * HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['OPTIONS *', 'read', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['absolute-form', 'read', 'GET http://x:80/a HTTP/1.1\r\nHost: X\r\n\r\n'],
  ['absolute-form against Host (§3.2.2)', 'host', 'GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['absolute-form with a comma in the authority', 'target', 'GET http://x,y/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['absolute-form with user information', 'target', 'GET http://a@x/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no Host in HTTP/1.1 (§3.2)', 'host-missing', 'GET / HTTP/1.1\r\n\r\n'],
  ['no Host in HTTP/1.0', 'read', 'GET / HTTP/1.0\r\n\r\n'],
  ['two Hosts, even equal ones', 'host-twice', 'GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n'],
  ['Host with a space', 'host', 'GET / HTTP/1.1\r\nHost: x y\r\n\r\n'],
  ['Host with a slash', 'host', 'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n'],
  ['first line begins with a space (HG 4)', 'fold', 'GET / HTTP/1.1\r\n Host: x\r\n\r\n'],
];
for (const [name, outcome, value] of requests)
  test(`request: ${name}: ${outcome}`, () => assert.equal(request(value), outcome));

const fields: readonly (readonly [name: string, outcome: ReturnType<typeof request>, fields: string])[] = [
  ['line fold (§5.2, HG 37)', 'fold', 'A: b\r\n c\r\n'],
  ['space before the colon (§5.1, HG 3)', 'field-name', 'A : b\r\n'],
  ['empty name (HG 18, CVE-2023-25725)', 'field-name', ': b\r\n'],
  ['no colon (HG 14, 27, 28)', 'field-name', 'A\r\n'],
  ['name is no token (HG 6, 8)', 'field-name', 'A(b: c\r\n'],
  ['NUL in a name', 'field-name', 'A\0: c\r\n'],
  ['byte above 0x7f in a name', 'field-name', '\xc4: c\r\n'],
  ['bare CR in a value (RFC 9110 §5.5, HG 2, 34)', 'field-value', 'A: b\rc\r\n'],
  ['NUL in a value (HG 10, 12, 13)', 'field-value', 'A: b\0c\r\n'],
  ['other control in a value', 'field-value', 'A: b\x01c\r\n'],
  ['obs-text in a value', 'read', 'A: \xa0\x85\r\n'],
  ['empty value', 'read', 'A:\r\n'],
  ['both length and encoding (§6.1)', 'length-and-encoding', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'],
  ['chunked twice (HG 9)', 'transfer-encoding', 'Transfer-Encoding: chunked, chunked\r\n'],
  ['chunked on two lines (HG 44)', 'transfer-encoding', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
  ['empty list element (HG 21)', 'transfer-encoding', 'Transfer-Encoding: ,chunked\r\n'],
  ['chunked not last (HG 11)', 'transfer-encoding', 'Transfer-Encoding: chunked, identity\r\n'],
  ['identity (HG 25)', 'transfer-encoding', 'Transfer-Encoding: identity\r\n'],
  ['empty coding', 'transfer-encoding', 'Transfer-Encoding:\r\n'],
  ['coding with \x0b before it (HG 18)', 'field-value', 'Transfer-Encoding: \x0bchunked\r\n'],
  ['coding behind a no-break space', 'transfer-encoding', 'Transfer-Encoding: \xa0chunked\r\n'],
  ['coding that is not ours', 'transfer-coding', 'Transfer-Encoding: gzip, chunked\r\n'],
  ['chunked in capitals', 'read', 'Transfer-Encoding: CHUNKED\r\n'],
  ['length with a sign (HG 10)', 'content-length', 'Content-Length: +1\r\n'],
  ['negative length (HG 16)', 'content-length', 'Content-Length: -1\r\n'],
  ['length with an underscore (HG 23)', 'content-length', 'Content-Length: 1_0\r\n'],
  ['length in hexadecimal (HG 26)', 'content-length', 'Content-Length: 0x1\r\n'],
  ['empty length (HG 29, CVE-2023-40225)', 'content-length', 'Content-Length:\r\n'],
  ['length beyond all bounds (HG 32)', 'content-length', 'Content-Length: 18446744073709551617\r\n'],
  ['length with a space inside (HG 33)', 'content-length', 'Content-Length: 1 1\r\n'],
  ['two different lengths (HG 38)', 'content-length', 'Content-Length: 1\r\nContent-Length: 2\r\n'],
  ['two equal lengths (§6.3)', 'read', 'Content-Length: 1\r\nContent-Length: 1, 01\r\n'],
  ['a comma too many in lengths', 'content-length', 'Content-Length: 1,\r\n'],
  ['too many options in Connection', 'connection', `Connection: ${'a,'.repeat(40)}\r\n`],
];
for (const [name, outcome, value] of fields)
  test(`field: ${name}: ${outcome}`, () => assert.equal(get(value), outcome));

test('Transfer-Encoding in HTTP/1.0 cannot be framed (§6.1)', () => {
  assert.equal(request('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'), 'transfer-encoding');
});

test('limits: target, head, number of fields', () => {
  assert.equal(request(`GET /${'a'.repeat(headBytesMax)} HTTP/1.1\r\n\r\n`), 'target-too-long');
  assert.equal(get(`A: ${'a'.repeat(headBytesMax)}\r\n`), 'too-long');
  assert.equal(get('a: b\r\n'.repeat(headerFieldsMax - 1)), 'read');
  assert.equal(get('a: b\r\n'.repeat(headerFieldsMax)), 'fields');
});

test('a head that is not whole is never taken for one', () => {
  const whole = 'POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close, foo\r\n\r\n';
  for (let length = 0; length < whole.length; length++)
    assert.equal(request(whole.slice(0, length)), 'incomplete', JSON.stringify(whole.slice(0, length)));
  assert.equal(request(whole), 'read');
  assert.equal(head.contentLength, 12);
  assert.equal(head.connectionClose, true);
  assert.equal(text(head.buffer, head.targetStart, head.targetEnd), '/a?b');
  assert.equal(text(head.buffer, head.nominated[0]!, head.nominated[1]!), 'foo');
});

const responses: readonly (readonly [name: string, outcome: ReturnType<typeof response>, bytes: string])[] = [
  ['plain', 'read', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['no reason and no space', 'read', 'HTTP/1.1 200\r\n\r\n'],
  ['two digits', 'status', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['four digits', 'status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['letters', 'status', 'HTTP/1.1 2xx OK\r\n\r\n'],
  ['status below 100', 'status', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['other protocol', 'version', 'ICY 200 OK\r\n\r\n'],
  ['HTTP/2.0', 'version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['NUL in the reason', 'status', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['line fold becomes spaces (§5.2)', 'read', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
  ['space before the colon is cut off (§5.1)', 'read', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
  ['two different lengths', 'content-length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['Transfer-Encoding in HTTP/1.0', 'transfer-encoding', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
];
for (const [name, outcome, value] of responses)
  test(`response: ${name}: ${outcome}`, () => assert.equal(response(value), outcome));

test('a response with length and encoding: the encoding counts, the connection ends (§6.3)', () => {
  assert.equal(response('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'), 'read');
  assert.deepEqual([head.chunked, head.contentLength, head.connectionClose], [true, -1, true]);
});

test('which responses have no body (§6.3)', () => {
  for (const status of [100, 101, 103, 204, 304]) assert.ok(isBodyless(status, false), String(status));
  assert.ok(isBodyless(200, true));
  assert.ok(!isBodyless(200, false) && !isBodyless(404, false) && !isBodyless(205, false));
});

test('a CONNECT, h2c on a second line: what the head says about itself', () => {
  get('Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: H2C\r\n');
  assert.deepEqual([head.connectionUpgrade, head.hasUpgrade, head.upgradeRefused], [true, true, true]);
});

// ---------------------------------------------------------------- bodies

function body(
  kind: 'chunked' | 'length',
  value: string,
  length = 0,
): { data: string; error: string | undefined; done: boolean } {
  const reader = new BodyReader();
  reader.begin(kind, length);
  const buffer = bytes(value);
  let data = '';
  for (let at = 0; at < buffer.length && !reader.done && reader.error === undefined; ) {
    at = reader.read(buffer, at, buffer.length);
    data += text(buffer, reader.dataStart, reader.dataEnd);
  }
  return { data, error: reader.error, done: reader.done };
}

const chunks: readonly (readonly [name: string, outcome: MessageError | 'incomplete' | string, bytes: string])[] = [
  ['plain', '=hello', '5\r\nhello\r\n0\r\n\r\n'],
  ['leading zeros, capitals', '=0123456789', '00A\r\n0123456789\r\n0\r\n\r\n'],
  ['extensions are dropped', '=hi', '2;a=b;c="d\\"\r"\r\nhi\r\n0\r\n\r\n'.replace('\r"', '"')],
  ['prefix 0x (HG 1)', 'chunk-size', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['sign (HG 7)', 'chunk-size', '+5\r\nhello\r\n'],
  ['empty size (HG 13)', 'chunk-size', '\r\n\r\n'],
  ['space before the size (HG 17)', 'chunk-size', ' 5\r\nhello\r\n'],
  ['space behind the size (HG 19)', 'chunk-size', '5 \r\nhello\r\n'],
  ['bare LF behind the size (HG 22)', 'chunk-size', '5\nhello\r\n'],
  ['bare CR behind the size (HG 24)', 'chunk-size', '5\rhello\r\n'],
  ['underscore (HG 25)', 'chunk-size', '1_0\r\n'],
  ['too many digits (HG 30, overflow)', 'chunk-size', '10000000000000005\r\nhello\r\n'],
  ['endless zeros', 'chunk-size', '0000000000000000005\r\nhello\r\n'],
  ['LF alone behind the data (HG 31)', 'chunk-end', '5\r\nhello\n0\r\n\r\n'],
  ['other bytes behind the data (HG 39)', 'chunk-end', '5\r\nhelloXX0\r\n\r\n'],
  ['CR within an extension (HG 36)', 'chunk-size', '5;a\rb\r\nhello\r\n'],
  ['open quotes', 'chunk-extension', '5;a="b\r\nhello\r\n'],
  ['extension without end', 'chunk-extension', `5;${'a'.repeat(2000)}`],
  ['bare LF in an extension', 'chunk-extension', '5;a\nhello\r\n'],
  ['bare LF as last line (HG 47)', 'trailer', '0\r\n\n'],
  ['trailer without end', 'trailer', `0\r\n${'a: b\r\n'.repeat(3000)}`],
  ['NUL in a trailer', 'trailer', '0\r\na: \0\r\n\r\n'],
  ['breaks off', 'incomplete', '5\r\nhel'],
];
for (const [name, outcome, value] of chunks)
  test(`chunks: ${name}: ${outcome}`, () => {
    const result = body('chunked', value);
    if (outcome.startsWith('=')) assert.deepEqual(result, { data: outcome.slice(1), error: undefined, done: true });
    else assert.equal(result.error ?? (result.done ? 'done' : 'incomplete'), outcome);
  });

test('a body with a length ends there, whatever follows', () => {
  assert.deepEqual(body('length', 'hello, more', 5), { data: 'hello', error: undefined, done: true });
  assert.deepEqual(body('length', 'hel', 5), { data: 'hel', error: undefined, done: false });
});
