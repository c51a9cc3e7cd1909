/**
 * What implementers of HTTP/1.1 proxies get wrong, and which test says that we don't: one row a class of mistakes, by the law that it breaks.
 * Each test is named by a part of its title; a row whose test is gone fails. HTTP/2 and what needs its own feature (NTLM, compression) is not here.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const rows: readonly (readonly [mistake: string, ...tests: string[]])[] = [
  [
    'Content-Length beside Transfer-Encoding (RFC 9112 §6.1)',
    'both length and encoding',
    'a response with length and encoding',
    'smuggling-length-and-chunked',
  ],
  ['Transfer-Encoding in HTTP/1.0', 'Transfer-Encoding in HTTP/1.0 cannot be framed', 'smuggling-http10-chunked'],
  [
    'lists of codings, chunked not last or twice',
    'chunked twice',
    'chunked on two lines',
    'chunked not last',
    'smuggling-transfer-codings',
  ],
  [
    'Content-Length that is no plain number, or several',
    'length with a sign',
    'two different lengths',
    'two equal lengths',
    'An answer that can be read two ways is none',
  ],
  [
    'chunk sizes: prefixes, overflow, bare line feeds',
    'prefix 0x',
    'too many digits',
    'bare LF behind the size',
    'A malformed chunk that is here with the head',
    'A malformed chunk that comes later',
  ],
  ['chunk extensions without bound or with CR', 'extension without end', 'CR within an extension', 'open quotes'],
  ['trailers merged into the head', 'Trailers that would mean something in a head do not pass', 'body-trailers'],
  ['bodies of HEAD, 1xx, 204, 304', 'which responses have no body', 'Bodyless answers, whatever they announce'],
  ['a response without length or chunks', 'An answer until the end of the connection', 'body-until-close'],
  [
    'bodies cut short, and surplus bytes',
    'An answer that breaks off',
    'Surplus bytes after an answer are never the next one',
    'body-cut-off-length',
  ],
  [
    'bare line feeds, CR and NUL (RFC 9112 §2.2)',
    'bare LF as line end',
    'bare CR in a value',
    'NUL in a value',
    'bare-line-feeds',
  ],
  ['line folds', 'line fold (§5.2', 'Folds and spaces of an answer are straightened', 'smuggling-obs-fold'],
  ['space before the colon, empty and malformed names', 'space before the colon', 'empty name', 'name is no token'],
  ['what is trimmed as white space', 'coding behind a no-break space', 'obs-text in a value'],
  ['request line: one space, method, version, status digits', 'two spaces', 'version of two digits', 'four digits'],
  [
    'Host missing, doubled, contradicted by the target',
    'no Host in HTTP/1.1',
    'two Hosts',
    'absolute-form against Host',
    'The authority of an absolute target is the host',
  ],
  [
    'limits and their statuses, slow heads',
    'limits: target, head, number of fields',
    'error-400-too-large',
    'http-request: nothing, or a part of a head',
  ],
  ['hop-by-hop fields (RFC 9110 §7.6.1)', 'Hop-by-hop fields stay here', 'headers-hop-by-hop'],
  ['Via and Max-Forwards', 'Max-Forwards and Via are left as they are'],
  ['X-Forwarded-For', 'X-Forwarded-For', 'forwardfor-variants'],
  [
    'interim responses: several, in order, not to HTTP/1.0',
    'Interim answers pass in their order',
    'Interim answers are not for HTTP/1.0',
    'early-hints',
  ],
  ['Expect: 100-continue', 'Expect: 100-continue is the server', 'expect-refused'],
  ['an answer before the request is complete', 'An answer before the request is complete', 'early-response'],
  [
    'Upgrade: matching token, no h2c, no body, HTTP/1.1',
    'A 101 that nobody asked for',
    'A 101 to another protocol',
    'An upgrade with a body, or over HTTP/1.0',
    'h2c on a second line',
  ],
  [
    'WebSocket without its key (RFC 6455 §4.2.1)',
    'A WebSocket without its key reaches no server',
    'upgrade-websocket-without-key',
  ],
  ['CONNECT and TRACE', 'CONNECT and TRACE are refused', 'connect-method'],
  [
    'half-closes',
    'A half-closed client gets its answer',
    'Bytes both ways, half-closes included',
    'tcp-half-close-server',
  ],
  [
    'the race of idle connections',
    'A server connection that died while idle is replaced unseen',
    'A POST on a connection that dies is not sent twice',
    'connections of one server are shared by the requests that follow, not by first ones',
  ],
  [
    'retries of what may have been processed (RFC 9110 §9.2.2)',
    'A safe request survives the death',
    'An unsafe request stays with its server',
    'Nothing is sent twice once an answer began',
    'After an interim answer nobody else is asked',
  ],
  [
    'idle clients: 408 only for a part of a request',
    'http-keep-alive: an idle connection closes without a word',
    'error-408-idle-keep-alive',
  ],
  ['an error answer destroyed by a reset', 'a client that sends a long body after its refusal'],
  ['pipelining: order, a bad second request', 'Pipelined requests are answered in order', 'pipelining-bad-second'],
  ['bytes on an idle server connection', 'Bytes on an idle server connection end it'],
  ['back-pressure', 'back-pressure: a client that does not read', 'back-pressure: a server that does not read'],
];

const titles = [
  ...globSync('test/wire/*.md').map((file) => readFileSync(file, 'utf8')),
  ...['src/core/http1/http1.test.ts', 'test/wire/worker.test.ts'].map((file) => readFileSync(file, 'utf8')),
  ...globSync('test/differential/scenarios/*.ts').map((file) => `\n${file.replace(/.*\/|\.ts$/g, '')}\n`),
].join('\n');

for (const [mistake, ...tests] of rows)
  test(mistake, () => {
    assert.ok(tests.length > 0);
    for (const name of tests) assert.ok(titles.includes(name), `no test is called "${name}"`);
  });
