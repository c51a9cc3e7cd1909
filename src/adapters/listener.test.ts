import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SocketAddress } from '../core/address.ts';
import { BindError, type BindOptions, bindListener, closeListener } from './listener.ts';

const loopback: SocketAddress = { family: 'ipv4', host: '127.0.0.1', port: 0 };
const skip = process.platform === 'linux' ? false : 'needs Linux';

function bind(address: SocketAddress, options: Partial<BindOptions> = {}) {
  return bindListener({ backlog: 16, ...options, address });
}

function reason(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BindError, String(error));
    return `${error.reason}: ${error.message}`;
  }
  return 'no error';
}

async function reachable(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('a port of the kernel’s choice is told, and is in use from then on', { skip }, async () => {
  const socket = bind(loopback);
  assert.ok(socket.address.family === 'ipv4' && socket.address.port > 0);
  assert.ok(await reachable('127.0.0.1', socket.address.port));
  assert.match(
    reason(() => bind(socket.address)),
    /^in-use: cannot bind 127\.0\.0\.1:\d+: the address is in use/,
  );
  closeListener(socket);
  closeListener(bind(socket.address));
});

test('SO_REUSEPORT shares a port between sockets that both ask for it', { skip }, () => {
  const first = bind(loopback, { reusePort: true });
  const second = bind(first.address, { reusePort: true });
  closeListener(first);
  closeListener(second);
});

test('an IPv6 socket serves IPv4 too, unless v6only', { skip }, async (context) => {
  const any: SocketAddress = { family: 'ipv6', host: '::', port: 0 };
  for (const v6only of [false, true]) {
    let socket: ReturnType<typeof bind>;
    try {
      socket = bind(any, { v6only });
    } catch {
      context.skip('this machine has no IPv6');
      return;
    }
    const { port } = socket.address as { port: number };
    assert.equal(await reachable('127.0.0.1', port), !v6only);
    closeListener(socket);
  }
});

test('an address that is not ours needs freebind', { skip }, () => {
  const foreign: SocketAddress = { family: 'ipv4', host: '192.0.2.77', port: 0 };
  assert.match(
    reason(() => bind(foreign)),
    /^not-available: .*no interface of this machine has that address/,
  );
  closeListener(bind(foreign, { freebind: true }));
});

test('every option of a bind line is accepted by the kernel', {
  skip: skip || (process.getuid?.() !== 0 && 'needs root'),
}, () => {
  const socket = bind(loopback, { transparent: true, interface: 'lo', deferAccept: true, tcpUserTimeoutMs: 5000 });
  closeListener(socket);
  assert.match(
    reason(() => bind(loopback, { interface: 'nosuch0' })),
    /^not-available: .*no such interface/,
  );
});

test('unix sockets: owner and mode, a stale file replaced, a live one respected, the file removed', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-listener-'));
  const address: SocketAddress = { family: 'unix', path: join(folder, 'socket') };
  const socket = bind(address, { mode: 0o620, uid: process.getuid!(), gid: process.getgid!() });
  assert.equal(statSync(address.path).mode & 0o777, 0o620);
  assert.match(
    reason(() => bind(address)),
    /^in-use: .*another process listens there/,
  );
  closeListener(socket);
  assert.equal(existsSync(address.path), false);

  const killed = bind(address);
  closeListener({ ...killed, address: { family: 'unix', path: '\0none' } });
  assert.ok(existsSync(address.path), 'a killed process leaves its file');
  closeListener(bind(address));

  writeFileSync(address.path, 'precious');
  assert.match(
    reason(() => bind(address)),
    /^in-use: .*no socket is in the way/,
  );
  const missing: SocketAddress = { family: 'unix', path: join(folder, 'none', 'socket') };
  assert.match(
    reason(() => bind(missing)),
    /^not-available: .*directory does not exist/,
  );
  const long: SocketAddress = { family: 'unix', path: `/${'x'.repeat(200)}` };
  assert.match(
    reason(() => bind(long)),
    /^other: /,
  );
  rmSync(folder, { recursive: true });
});
