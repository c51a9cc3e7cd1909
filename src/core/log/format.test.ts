import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileLogFormat, type FormatContext, type LogFormat } from './format.ts';
import type { FormatMode } from './parse.ts';
import type { LogRecord } from './record.ts';
import { connectLog, httpLog, httpLogClf, tcpLog } from './standard.ts';

/** The facts of an exchange whose lines HAProxy 2.6.12 wrote: every expected text below is its output. */
function exchange(change: Partial<LogRecord> = {}, request = 'GET /p/"q\\]{|}?a=b?c HTTP/1.1'): LogRecord {
  const requestBytes = Buffer.from(request, 'latin1');
  return {
    clientHost: '127.0.0.1',
    clientPort: 33698,
    frontendHost: '127.0.0.1',
    frontendPort: 29080,
    frontendName: 'f1',
    backendName: 'b',
    backendHost: '127.0.0.1',
    backendPort: 60258,
    serverName: 's1',
    serverHost: '127.0.0.1',
    serverPort: 29090,
    acceptedWallMs: 1795333984903.7,
    requestWallMs: 1795333984904.2,
    handshakeMs: 0,
    idleMs: 1,
    requestMs: 0,
    queueMs: 0,
    connectMs: 0,
    responseMs: 32,
    dataMs: 120,
    activeMs: 152,
    totalMs: 153,
    asap: false,
    status: 200,
    bytesRead: 52,
    bytesUploaded: 53,
    terminationCause: '-',
    terminationState: '-',
    activeConnections: 1,
    frontendConnections: 1,
    backendConnections: 0,
    serverConnections: 0,
    retries: 0,
    redispatched: false,
    serverQueue: 0,
    backendQueue: 0,
    requestBytes,
    requestStart: 0,
    requestEnd: requestBytes.length,
    requestCounter: 0,
    ...change,
  };
}

const refused: Partial<LogRecord> = {
  backendName: 'f1',
  backendHost: '',
  backendPort: 0,
  serverName: '<NOSRV>',
  serverHost: '',
  serverPort: 0,
  idleMs: 0,
  requestMs: -1,
  queueMs: -1,
  connectMs: -1,
  responseMs: -1,
  dataMs: -1,
  activeMs: 0,
  totalMs: 0,
  status: 400,
  bytesRead: 0,
  terminationCause: 'P',
  terminationState: 'R',
};

const context: FormatContext = { pid: 10754, hostname: 'vm', zone: () => 0 };

function compile(text: string, mode: FormatMode = 'http', withContext = context): LogFormat {
  const compiled = compileLogFormat(text, mode, withContext);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message);
  return compiled.format;
}

function line(format: string | LogFormat, record: LogRecord): string {
  const out = new Uint8Array(8192);
  const end = (typeof format === 'string' ? compile(format) : format).render(record, out, 3);
  return Buffer.from(out.subarray(3, end)).toString('latin1');
}

const every =
  'A %{+Q}o|%B|%{-Q}B|%CC|%CS|%H|%HM|%HP|%HPO|%HQ|%HU|%HV|%ST|%T|%Ta|%Tc|%Td|%Tl|%Th|%Ti|%Tq|%TR|%Tr|%Ts|%Tt|%Tu|%Tw|%U|%ac|%b|%bc|%bi|%bp|%bq|%ci|%cp|%f|%fc|%fi|%fp|%ft|%lc|%hr|%hrl|%hs|%hsl|%ms|%pid|%r|%rc|%rt|%s|%sc|%si|%sp|%sq|%t|%tr|%trg|%trl|%ts|%tsc';

test('every variable, quoted, as HAProxy wrote it', () => {
  assert.equal(
    line(every, exchange()),
    'A |52|52|""|""|"vm"|"GET"|"/p/#22q\\]{|}"|"/p/#22q\\]{|}"|"?a=b?c"|"/p/#22q\\]{|}?a=b?c"|"HTTP/1.1"|200|22/Nov/2026:07:53:04 +0000|152|0|120|22/Nov/2026:07:53:04 +0000|0|1|1|0|32|1795333984|153|152|0|53|1|"b"|0|"127.0.0.1"|60258|0|"127.0.0.1"|33698|"f1"|1|"127.0.0.1"|29080|"f1"|0|||||903|10754|"GET /p/#22q\\]{|}?a=b?c HTTP/1.1"|0|0|"s1"|0|"127.0.0.1"|29090|0|22/Nov/2026:07:53:04.903|22/Nov/2026:07:53:04.904|22/Nov/2026:07:53:04 +0000|22/Nov/2026:07:53:04 +0000|--|----',
  );
});

test('every variable of a refused request', () => {
  const record = exchange({ ...refused, bytesUploaded: 0, requestWallMs: 1795333984903.7, requestCounter: 13 }, '');
  assert.equal(
    line(every, record),
    'A |0|0|""|""|"vm"|"<BADREQ>"|"<BADREQ>"|"<BADREQ>"|"<BADREQ>"|"<BADREQ>"|"<BADREQ>"|400|22/Nov/2026:07:53:04 +0000|0|-1|-1|22/Nov/2026:07:53:04 +0000|0|0|-1|-1|-1|1795333984|0|0|-1|0|1|"f1"|0|""|""|0|"127.0.0.1"|33698|"f1"|1|"127.0.0.1"|29080|"f1"|0|||||903|10754|"<BADREQ>"|0|13|"<NOSRV>"|0|""|""|0|22/Nov/2026:07:53:04.903|22/Nov/2026:07:53:04.903|22/Nov/2026:07:53:04 +0000|22/Nov/2026:07:53:04 +0000|PR|PR--',
  );
});

test('flags X and E, and empty texts without quotes', () => {
  assert.equal(
    line(
      '%CC|%{+X}ci|%{+X}cp|%{+X}Ts|%{+X}ms|%{+X}rt|%{+X}pid|%{+X}B|%{+E}r|%{+Q,+E}r|%{+X}Ta|%{+X}ST|%lc',
      exchange({ clientPort: 0xe070, requestCounter: 1 }),
    ),
    '-|7F000001|E070|6B029F60|387|0001|2A02|52|GET /p/#22q\\\\\\]{|}?a=b?c HTTP/1.1|"GET /p/#22q\\\\\\]{|}?a=b?c HTTP/1.1"|152|200|0',
  );
  assert.equal(line('%{+Q}o%{+X}ci %ci', exchange()), '7F000001 "127.0.0.1"');
  assert.equal(line('%si:%sp %s', exchange(refused)), '-:- <NOSRV>');
  assert.equal(
    line('%{+X}ci', exchange({ clientHost: '2001:db8::1:0:ff' })),
    '20010DB8000000000000000100 0000FF'.replace(' ', ''),
  );
});

test('spaces merge, and captures print nothing', () => {
  assert.equal(line('  lead  %hr  %%x a%hr %hs  end%hr  ', exchange()), 'lead %x a end ');
});

test('the named formats', () => {
  assert.equal(
    line(httpLog, exchange()),
    '127.0.0.1:33698 [22/Nov/2026:07:53:04.904] f1 b/s1 0/0/0/32/152 200 52 - - ---- 1/1/0/0/0 0/0 "GET /p/#22q\\]{|}?a=b?c HTTP/1.1"',
  );
  assert.equal(
    line(httpLog, exchange({ ...refused, requestWallMs: 1795333984903 }, '')),
    '127.0.0.1:33698 [22/Nov/2026:07:53:04.903] f1 f1/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"',
  );
  assert.equal(
    line(httpLogClf, exchange()),
    '127.0.0.1 - - [22/Nov/2026:07:53:04 +0000] "GET /p/#22q\\]{|}?a=b?c HTTP/1.1" 200 52 "" "" 33698 903 "f1" "b" "s1" 0 0 0 32 152 ---- 1 1 0 0 0 0 0 "" "" ',
  );
  assert.equal(
    line(compile(tcpLog, 'tcp'), exchange({ redispatched: true, retries: 3 })),
    '127.0.0.1:33698 [22/Nov/2026:07:53:04.903] f1 b/s1 0/0/153 52 -- 1/1/0/0/+3 0/0',
  );
  assert.equal(
    line(connectLog('http', false), exchange({ clientPort: 49670, frontendPort: 29086, frontendName: 'f7' })),
    'Connect from 127.0.0.1:49670 to 127.0.0.1:29086 (f7/HTTP)',
  );
});

test('with logasap, totals and bytes get a plus sign', () => {
  const early = { asap: true, bytesRead: 49, totalMs: 30, activeMs: 30, idleMs: 0, dataMs: 0, bytesUploaded: 0 };
  assert.equal(
    line('%B|%Tt|%Ta|%Td|%Tu|%Tc|%U|%Tr|%Tq|%ST|%{+Q}B|%rc', exchange({ ...early, responseMs: 30 })),
    '+49|+30|+30|0|+30|0|0|30|0|200|+49|0',
  );
});

test('the parts of absolute, star and HTTP/1.0 targets', () => {
  const parts = '%HM|%HP|%HPO|%HQ|%HU|%HV';
  assert.equal(
    line(parts, exchange({}, 'GET http://h.x/abc?d HTTP/1.1')),
    'GET|http://h.x/abc|/abc|?d|http://h.x/abc?d|HTTP/1.1',
  );
  assert.equal(line(parts, exchange({}, 'GET /x HTTP/1.0')), 'GET|/x|/x||/x|HTTP/1.0');
  assert.equal(line('%r', exchange({}, `GET /${'a'.repeat(2000)} HTTP/1.1`)).length, 1023);
});

test('local dates follow the zone', () => {
  const zoned = compile('%t %T %Tl %trg %trl', 'http', { ...context, zone: () => -210 });
  assert.equal(
    line(zoned, exchange()),
    '22/Nov/2026:04:23:04.903 22/Nov/2026:07:53:04 +0000 22/Nov/2026:04:23:04 -0330 22/Nov/2026:07:53:04 +0000 22/Nov/2026:04:23:04 -0330',
  );
});

test('formats without final facts are ready at the response', () => {
  assert.equal(compile('%ci %r %ST').waitsForEnd, false);
  assert.equal(compile('%ci %r %ST %B').waitsForEnd, true);
});

test('what is wrong is refused at its column', () => {
  const refusal = (text: string, mode: FormatMode = 'http') => {
    const compiled = compileLogFormat(text, mode);
    assert.ok(!compiled.ok);
    return `${compiled.column}: ${compiled.message}`;
  };
  assert.match(refusal('%ci %zz'), /^5: no such format variable '%zz'/);
  assert.match(refusal('%ci %ID'), /^5: format variable '%ID' is not supported yet: it needs unique ids/);
  assert.match(refusal('x %sslv'), /^3: .*TLS/);
  assert.match(refusal('%[src]'), /^1: sample expressions .* not supported yet/);
  assert.match(refusal('%r', 'tcp'), /^1: format variable '%r' is reserved for HTTP mode/);
  assert.match(refusal('50% done'), /^3: variable name expected after '% '/);
  assert.match(refusal('%'), /^1: variable name expected/);
  assert.match(refusal('%{+Q'), /^1: truncated/);
  assert.match(refusal('%{+Z}r'), /^1: unknown flag '\+Z'/);
});

test('a line that does not fit is cut', () => {
  const out = new Uint8Array(20);
  assert.equal(compile(httpLog).render(exchange(), out, 0), 20);
  assert.equal(Buffer.from(out).toString(), '127.0.0.1:33698 [22/');
});

test('any request bytes render as printable ASCII, and any format text compiles or is refused', () => {
  const format = compile('%{+Q}r %HM %HU %HPO %HQ %HV');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
      const out = new Uint8Array(32_768);
      const end = format.render(exchange({ requestBytes: bytes, requestEnd: bytes.length }), out, 0);
      assert.ok(out.subarray(0, end).every((byte) => byte >= 32 && byte < 127));
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const compiled = compileLogFormat(text, 'http');
      if (compiled.ok) compiled.format.render(exchange(), new Uint8Array(512), 0);
      else assert.ok(compiled.column >= 1 && compiled.column <= text.length);
    }),
  );
});
