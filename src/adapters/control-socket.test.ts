/** The control socket: names, permissions, stale files, limits. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../../test/requirements.ts';
import { controlSocket as limits } from '../core/limits.ts';
import { ControlClient, type ControlFailure, controlAddress, type Peer, serveControl } from './control-socket.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'evergate-control-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Serves what it was asked, back. */
function echo(t: TestContext, address: string, failed: (reason: string) => void = assert.fail) {
  const peers: (Peer | undefined)[] = [];
  const server = serveControl({
    address,
    failed,
    answer: (line, peer) => {
      peers.push(peer);
      return { line };
    },
  });
  t.after(() => server.close());
  return { server, peers };
}

async function client(t: TestContext, address: string): Promise<ControlClient> {
  const opened = await ControlClient.open(address);
  assert.ok(opened instanceof ControlClient, JSON.stringify(opened));
  t.after(() => opened.close());
  return opened;
}

/** Until the socket is there; a listening socket appears in a later turn of the loop. */
async function opened(t: TestContext, address: string): Promise<ControlClient> {
  for (;;) {
    const made = await ControlClient.open(address);
    if (made instanceof ControlClient) {
      t.after(() => made.close());
      return made;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a path: questions are answered in order, its mode is 0600, it is gone at the end', {
  timeout: 10_000,
}, async (t) => {
  const path = join(folder(t), 'lb1-vrrp');
  const { server } = echo(t, path);
  const asking = await client(t, path);
  assert.deepEqual(await Promise.all([asking.ask('one'), asking.ask('two')]), [{ line: 'one' }, { line: 'two' }]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  server.close();
  await assert.rejects(asking.ask('three'), /closed/);
  assert.equal(existsSync(path), false);
});

test('an abstract name: the peer is known', { skip: needs('linux'), timeout: 10_000 }, async (t) => {
  const address = controlAddress(`@evergate-test-${process.pid}`, 'vrrp');
  assert.match(address, /^@.*-vrrp$/);
  const { peers } = echo(t, address);
  assert.deepEqual(await (await client(t, address)).ask('hello'), { line: 'hello' });
  assert.equal(peers[0]?.uid, process.getuid?.());
});

test('nobody there is told from no permission', async (t) => {
  const failure = (await ControlClient.open(join(folder(t), 'nothing'))) as ControlFailure;
  assert.equal(failure.kind, 'absent');
});

test('the socket of a killed process is replaced', { timeout: 10_000 }, async (t) => {
  const path = join(folder(t), 'lb1-vrrp');
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program]), 'exit');
  assert.ok(statSync(path).isSocket());
  echo(t, path);
  assert.deepEqual(await (await opened(t, path)).ask('hello'), { line: 'hello' });
});

test('a file that is no socket is left alone', { timeout: 10_000 }, async (t) => {
  const path = join(folder(t), 'lb1-vrrp');
  writeFileSync(path, 'somebody needs this');
  const reason = await new Promise<string>((resolve) => echo(t, path, resolve));
  assert.match(reason, /in the way/);
  assert.equal(readFileSync(path, 'utf8'), 'somebody needs this');
});

test('a name that is taken is said once, and had when it is free', { timeout: 10_000 }, async (t) => {
  const path = join(folder(t), 'lb1-vrrp');
  const other = createServer().listen(path);
  await once(other, 'listening');
  const reasons: string[] = [];
  const said = new Promise<void>((resolve) => {
    echo(t, path, (reason) => {
      reasons.push(reason);
      resolve();
    });
  });
  await said;
  other.close();
  assert.deepEqual(await (await opened(t, path)).ask('hello'), { line: 'hello' });
  assert.equal(reasons.length, 1);
  assert.match(reasons[0], /another process listens there/);
});

test('a folder that cannot be written: said, and the half goes on', { timeout: 10_000 }, async (t) => {
  const reason = await new Promise<string>((resolve) => echo(t, '/proc/evergate-vrrp', resolve));
  assert.match(reason, /^\/proc\/evergate-vrrp: /);
});

test('an endless question and too many who ask are turned away', { timeout: 10_000 }, async (t) => {
  const path = join(folder(t), 'lb1-vrrp');
  echo(t, path);
  const endless = connect(path);
  await once(endless, 'connect');
  endless.on('error', () => {});
  endless.write('x'.repeat(limits.lineBytesMax + 1));
  await once(endless, 'close');
  const many = await Promise.all(Array.from({ length: limits.connectionsMax }, () => client(t, path)));
  await Promise.all(many.map((each) => each.ask('here')));
  const late = await client(t, path);
  const outcome = await late.ask('late').then(
    (answer) => (answer as { readonly error?: string }).error,
    () => 'busy',
  );
  assert.equal(outcome, 'busy');
});
