import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorPageFault } from './balancer-pages.ts';

const fault = (text: string): string | undefined => errorPageFault(new TextEncoder().encode(text), 16_384);

test('what HAProxy 2.6.12 takes as an error file', () => {
  for (const text of [
    '',
    'HTTP/1.0 503 Service\r\nContent-Type: text/html\r\n\r\nbody',
    'HTTP/1.0 503 Service\nContent-Type: text/html\n\nbody',
    'HTTP/1.0 404 Service\r\n\r\nbody',
    'HTTP/2.0 503 Service\r\n\r\n',
    'HTTP/1.1 503 Service\r\nContent-Length: 4\r\n\r\nbody',
  ])
    assert.equal(fault(text), undefined, text);
});

test('what HAProxy 2.6.12 refuses', () => {
  assert.match(fault('hello\n')!, /unable to parse headers/);
  assert.match(fault('hello\n\n')!, /status line/);
  assert.match(fault('HTTP/1.0 503 Service\r\nContent-Type: text/html\r\n')!, /empty line/);
  assert.match(fault('HTTP/1.0 503 Service\r\nBad Header\r\n\r\nbody')!, /Bad Header/);
  assert.match(fault('HTTP/1.0 503 Service\r\nContent-Length: 100\r\n\r\nbody')!, /4 != 100/);
  assert.match(fault('HTTP/1.0 503 Service\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')!, /chunk-encoded/);
  assert.match(fault(`HTTP/1.0 503 Service\r\n\r\n${'x'.repeat(20_000)}`)!, /larger than/);
});
