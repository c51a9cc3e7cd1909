import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { libc, linux, stableBytes } from './libc.ts';
import { encodeSockaddr } from './sockaddr.ts';
import { inheritedSockets, passOn, serviceManager } from './systemd.ts';

/** A notification socket as systemd has one; reads what was sent, and the inode of a descriptor that came with it. */
class Receiver {
  readonly folder = mkdtempSync(join(tmpdir(), 'evergate-notify-'));
  readonly path = join(this.folder, 'notify');
  readonly #fd: number;

  constructor() {
    const c = libc()!;
    this.#fd = c.socket(linux.AF_UNIX, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
    const address = encodeSockaddr({ family: 'unix', path: this.path })!;
    assert.equal(c.bind(this.#fd, address, address.length), 0);
  }

  receive(): { readonly text: string; readonly fd: number | undefined } {
    const { bytes, address } = stableBytes(1024);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setBigUint64(16, address + 64n, true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, address + 96n, true);
    view.setBigUint64(40, 64n, true);
    view.setBigUint64(64, address + 256n, true);
    view.setBigUint64(72, 512n, true);
    const length = libc()!.recvmsg(this.#fd, bytes.subarray(0, 56), 0);
    assert.ok(length > 0, 'a message came');
    const text = new TextDecoder().decode(bytes.subarray(256, 256 + length));
    return { text, fd: view.getBigUint64(40, true) === 0n ? undefined : view.getInt32(112, true) };
  }

  close(): void {
    libc()!.close(this.#fd);
    rmSync(this.folder, { recursive: true });
  }
}

function withEnvironment(words: Readonly<Record<string, string>>, act: () => void): void {
  const before = { ...process.env };
  Object.assign(process.env, words);
  try {
    act();
  } finally {
    for (const name of Object.keys(words)) {
      delete process.env[name];
      if (before[name] !== undefined) process.env[name] = before[name];
    }
  }
}

const skip = libc() === undefined ? 'needs Linux' : false;

test('what systemd is told arrives as sd_notify(3) writes it', { skip }, () => {
  const receiver = new Receiver();
  withEnvironment({ NOTIFY_SOCKET: receiver.path, WATCHDOG_USEC: '10000000', WATCHDOG_PID: `${process.pid}` }, () => {
    const manager = serviceManager()!;
    assert.equal(manager.watchdogMs, 10_000);
    manager.ready();
    assert.equal(receiver.receive().text, 'READY=1');
    manager.reloading();
    assert.match(receiver.receive().text, /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    manager.status('two\nlines');
    assert.equal(receiver.receive().text, 'STATUS=two lines');
    manager.forget('listen-1');
    assert.equal(receiver.receive().text, 'FDSTOREREMOVE=1\nFDNAME=listen-1');
  });
  receiver.close();
});

test('a listening socket travels with its name, and stays open when the sender closes its own', { skip }, async () => {
  const receiver = new Receiver();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  withEnvironment({ NOTIFY_SOCKET: receiver.path }, () => serviceManager()!.store('listen-1', fd));
  const { text, fd: kept } = receiver.receive();
  assert.equal(text, 'FDSTORE=1\nFDNAME=listen-1');
  server.close();
  await once(server, 'close');
  const again = createServer((socket) => socket.end('still here')).listen({ fd: kept! });
  await once(again, 'listening');
  assert.equal((again.address() as { port: number }).port, port);
  again.close();
  receiver.close();
});

test('another process and a process that is no service take nothing for theirs', { skip }, () => {
  withEnvironment({ LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }, () => {
    assert.deepEqual([...inheritedSockets()], []);
    assert.equal(process.env['LISTEN_FDS'], undefined, 'no child takes them for its own');
  });
  withEnvironment({ WATCHDOG_PID: '1', WATCHDOG_USEC: '1000', NOTIFY_SOCKET: '/nowhere' }, () =>
    assert.equal(serviceManager()!.watchdogMs, undefined),
  );
  withEnvironment({ NOTIFY_SOCKET: '' }, () => assert.equal(serviceManager(), undefined));
});

test('what systemd kept is found by its names, directly and through the launcher', { skip }, () => {
  const words = { LISTEN_PID: `${process.pid}`, LISTEN_FDS: '2', LISTEN_FDNAMES: 'listen-a:listen-b' };
  withEnvironment(words, () => {
    const inherited = inheritedSockets();
    assert.deepEqual(
      [...inherited],
      [
        ['listen-a', 3],
        ['listen-b', 4],
      ],
    );
    withEnvironment(passOn(inherited, 7), () =>
      assert.deepEqual(
        [...inheritedSockets()],
        [
          ['listen-a', 7],
          ['listen-b', 8],
        ],
      ),
    );
  });
});

test('a balancer says READY when every server was checked, then how it serves', { skip }, async (t) => {
  const receiver = new Receiver();
  const folder = mkdtempSync(join(tmpdir(), 'evergate-notify-'));
  const file = join(folder, 'haproxy.cfg');
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server gone 127.0.0.1:9 check inter 100ms fall 1
`,
  );
  const balancer: ChildProcess = spawn(
    process.execPath,
    [new URL('../main.ts', import.meta.url).pathname, 'balance', '--systemd', '--io', 'net', '-f', file],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NOTIFY_SOCKET: receiver.path } },
  );
  t.after(() => {
    balancer.kill('SIGKILL');
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ended = once(balancer, 'exit');
  const said: string[] = [];
  const heard = async (wanted: RegExp) => {
    for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 20)))
      try {
        for (;;) said.push(receiver.receive().text);
      } catch {
        if (said.some((text) => wanted.test(text))) return;
      }
    assert.fail(`${wanted} was not said, but ${said.join(' | ')}`);
  };
  await heard(/^READY=1$/);
  assert.ok(said.findIndex((text) => text.startsWith('FDSTORE=1')) < said.indexOf('READY=1'), said.join(' | '));
  await heard(/^STATUS=Serving nobody: no server is left/);
  balancer.kill('SIGHUP');
  await heard(/^RELOADING=1/);
  balancer.kill('SIGTERM');
  await heard(/^STOPPING=1$/);
  await ended;
});
