import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHaproxy } from '../config/haproxy/parse.ts';
import { checkRequest } from './balancer-checks.ts';

function request(lines: string): string {
  const { config } = parseHaproxy([{ path: 'a', text: `backend b\n ${lines}\n` }], []);
  const { httpCheckOption, httpCheckSend } = config.proxies[0]!.settings;
  return Buffer.from(checkRequest(httpCheckOption, httpCheckSend)).toString();
}

/** The bytes that HAProxy 2.6.12 sent for these lines on the wire. */
const asHaproxy: readonly (readonly [string, string])[] = [
  ['option httpchk', 'OPTIONS / HTTP/1.0\r\n\r\n'],
  ['option httpchk /x', 'OPTIONS /x HTTP/1.0\r\n\r\n'],
  ['option httpchk GET', 'OPTIONS GET HTTP/1.0\r\n\r\n'],
  ['option httpchk GET /', 'GET / HTTP/1.0\r\n\r\n'],
  ['option httpchk GET / HTTP/1.1', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n'],
  ['option httpchk GET / HTTP/2.0', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n'],
  ['option httpchk GET / http/1.1', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n'],
  ['option httpchk GET /x HTTP/1.1\\r\\nHost:\\ www.x', 'GET /x HTTP/1.1\r\nhost: www.x\r\nconnection: close\r\n\r\n'],
  [
    'option httpchk POST /x HTTP/1.1\\r\\nHost:\\ www.x\\r\\n\\r\\nbody',
    'POST /x HTTP/1.1\r\nhost: www.x\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody',
  ],
  [
    'option httpchk\n http-check send meth GET uri /h ver HTTP/1.1 hdr Host a.b hdr X-Y z',
    'GET /h HTTP/1.1\r\nhost: a.b\r\nx-y: z\r\nconnection: close\r\n\r\n',
  ],
  [
    'option httpchk\n http-check send meth POST uri /h body hello',
    'POST /h HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello',
  ],
  [
    'option httpchk HEAD /q HTTP/1.1\n http-check send hdr Host zz',
    'HEAD /q HTTP/1.1\r\nhost: zz\r\nconnection: close\r\n\r\n',
  ],
  [
    'option httpchk GET /q HTTP/1.1\\r\\nHost:\\ old\n http-check send hdr Host new',
    'GET /q HTTP/1.1\r\nhost: new\r\nconnection: close\r\n\r\n',
  ],
  [
    'option httpchk GET /q HTTP/1.1\n http-check send meth POST body x',
    'POST /q HTTP/1.1\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx',
  ],
  ['option httpchk\n http-check send ver HTTP/1.1 hdr Connection keep-alive', 'OPTIONS / HTTP/1.1\r\n\r\n'],
  [
    'option httpchk\n http-check send ver HTTP/1.1 hdr Content-Length 5',
    'OPTIONS / HTTP/1.1\r\nconnection: close\r\n\r\n',
  ],
  [
    'option httpchk\n http-check send ver HTTP/1.1 hdr Transfer-Encoding chunked hdr X 1',
    'OPTIONS / HTTP/1.1\r\nx: 1\r\nconnection: close\r\n\r\n',
  ],
  ['http-check send meth GET\n option httpchk HEAD / HTTP/1.1', 'HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n'],
];

for (const [lines, bytes] of asHaproxy)
  test(`check request of: ${lines.replace('\n', ';')}`, () => assert.equal(request(lines), bytes));
