/** `-sf`: another process takes the place of the running one; no connection is refused or broken, whoever the old one is. */
import assert from 'node:assert/strict';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../ports.ts';
import { needs } from '../requirements.ts';
import { defaults, folderFor, Load, program, type Started, start, webServer, write } from './loopback.ts';

const both = { fresh: 4, kept: 4 };
/** HAProxy closes its idle connections at once when it is told to end, and may meet a request on its way: that is its own doing. */
const fresh = { fresh: 4, kept: 0 };

/** A configuration on `bind` with one server that says `body`. */
async function configuration(t: TestContext, folder: string, bind: string, body: string): Promise<string> {
  const server = await webServer(t, body);
  return write(
    folder,
    `${body}.cfg`,
    `global\n nbthread 2\n description ${body} is ready\n${defaults}
listen web\n bind ${bind}\n server s 127.0.0.1:${server.port}\n`,
  );
}

/** Puts a new balancer in the place of `old` under load, and counts what clients saw. */
async function replaced(
  t: TestContext,
  to: { port: number } | { path: string },
  old: Started,
  file: string,
  clients: { fresh: number; kept: number },
): Promise<Started> {
  const load = new Load(to, clients);
  await load.more(200);
  const next = start(t, program, ['balance', '-f', file, '-sf', String(old.pid)]);
  await next.said(/new is ready/);
  assert.equal(await old.ended(), 0);
  await load.more(200);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.ok(load.answers.get('old')! > 0 && load.answers.get('new')! > 0, 'both answered');
  assert.doesNotMatch(next.output(), /cannot be taken over/);
  return next;
}

test('-sf: Evergate takes over from Evergate', { skip: needs('linux'), timeout: 30_000 }, async (t) => {
  const folder = folderFor(t);
  const port = await freePort();
  const old = start(t, program, ['balance', '-f', await configuration(t, folder, `127.0.0.1:${port}`, 'old')]);
  await old.said(/old is ready/);
  await replaced(t, { port }, old, await configuration(t, folder, `127.0.0.1:${port}`, 'new'), both);
});

test('-sf: Evergate takes over from HAProxy', { skip: needs('haproxy', 'root'), timeout: 30_000 }, async (t) => {
  const folder = folderFor(t);
  const port = await freePort();
  const file = await configuration(t, folder, `127.0.0.1:${port}`, 'old');
  const old = start(t, 'haproxy', ['-db', '-f', file], { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` });
  await listening(port);
  await replaced(t, { port }, old, await configuration(t, folder, `127.0.0.1:${port}`, 'new'), fresh);
});

test('-sf: a unix socket changes hands, and its file stays', { skip: needs('linux'), timeout: 30_000 }, async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'web.sock');
  const old = start(t, program, ['balance', '-f', await configuration(t, folder, path, 'old')]);
  await old.said(/old is ready/);
  const next = await replaced(t, { path }, old, await configuration(t, folder, path, 'new'), both);
  assert.ok(existsSync(path));
  next.child.kill('SIGTERM');
  assert.equal(await next.ended(), 0);
  assert.equal(existsSync(path), false);
});

test('under the name haproxy, and with -st', { skip: needs('linux'), timeout: 30_000 }, async (t) => {
  const folder = folderFor(t);
  const port = await freePort();
  const haproxy = join(folder, 'haproxy');
  symlinkSync(program, haproxy);
  const old = start(t, haproxy, ['-db', '-f', await configuration(t, folder, `127.0.0.1:${port}`, 'old')]);
  await old.said(/old is ready/);
  const load = new Load({ port }, { fresh: 4, kept: 0 });
  await load.more(50);
  const file = await configuration(t, folder, `127.0.0.1:${port}`, 'new');
  const next = start(t, haproxy, ['-db', '-f', file, '-st', String(old.pid)]);
  await next.said(/new is ready/);
  assert.equal(await old.ended(), 0);
  await load.more(50);
  await load.stop();
  // -st breaks off what the old one had under way, and only that: nobody is refused.
  assert.ok(
    load.failures.every((failure) => !/REFUSED/.test(failure)),
    load.failures.join('\n'),
  );
  assert.ok(load.answers.get('new')! > 0);
});

async function listening(port: number): Promise<void> {
  for (;;) {
    const load = new Load({ port }, { fresh: 1, kept: 0 });
    await load.more(1);
    await load.stop();
    if (load.answers.size > 0) return;
  }
}
