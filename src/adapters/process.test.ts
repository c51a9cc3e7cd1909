/** Commands, questions about processes, watched files and processes: on this machine's own processes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../../test/requirements.ts';
import type { Command, CommandResult } from '../engine/ports/scripts.ts';
import { SystemScripts } from './process.ts';
import { livenessQuestion } from './process-match.ts';

const command = (...argv: string[]): Command => ({ argv, user: String(process.getuid?.()), group: undefined });

test('commands and watches', { skip: needs('linux') }, async (suite) => {
  const scripts = new SystemScripts();
  const folder = mkdtempSync(join(tmpdir(), 'evergate-process-'));
  const alive = setInterval(() => {}, 60_000);
  suite.after(() => {
    clearInterval(alive);
    scripts.close();
    rmSync(folder, { recursive: true });
  });
  const run = (chosen: Command) => new Promise<CommandResult>((resolve) => scripts.run(chosen, resolve));
  /** A program that sleeps under a name of its own, so that nothing else on the machine is meant. */
  const sleeper = (name: string) => {
    const path = join(folder, name);
    if (!existsSync(path)) copyFileSync('/bin/sleep', path);
    const child = spawn(path, ['60'], { stdio: 'ignore' });
    const end = async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    return { child, end };
  };

  await suite.test('results: status, signal, what can’t be started', async () => {
    assert.deepEqual(await run(command('/bin/sh', '-c', 'exit 3')), { kind: 'exited', status: 3 });
    assert.deepEqual(await run(command('/bin/sh', '-c', 'kill -9 $$')), { kind: 'killed', signal: 'SIGKILL' });
    assert.deepEqual(await run(command('/nothing/here')), { kind: 'unstartable', reason: 'ENOENT' });
    assert.deepEqual(await run({ argv: ['/bin/true'], user: 'nobody-by-this-name', group: undefined }), {
      kind: 'unstartable',
      reason: 'user nobody-by-this-name does not exist',
    });
  });

  await suite.test('a signal ends what the script started, too', async () => {
    const { promise, resolve } = Promise.withResolvers<CommandResult>();
    const running = scripts.run(command('/bin/sh', '-c', 'sleep 60; true'), resolve);
    running.signal('SIGKILL');
    assert.deepEqual(await promise, { kind: 'killed', signal: 'SIGKILL' });
  });

  await suite.test('runs as the user it is told', { skip: needs('root') }, async () => {
    const asNobody = { argv: ['/bin/sh', '-c', '[ "$(id -u)" = 65534 ]'], user: 'nobody', group: undefined };
    assert.deepEqual(await run(asNobody), { kind: 'exited', status: 0 });
  });

  await suite.test(
    'runs with the supplementary groups of its user where it is told',
    { skip: needs('root') },
    async () => {
      // Debian has no user in a second group by itself; this one is made for the test.
      const name = `evg${process.pid}`;
      const made = spawnSync('useradd', [
        '--system',
        '--no-user-group',
        '--gid',
        'nogroup',
        '--groups',
        'daemon',
        name,
      ]);
      assert.equal(made.status, 0, made.stderr?.toString());
      try {
        const script = '[ "$(id -u)" != 0 ] && [ "$(id -Gn)" = "nogroup daemon" ]';
        const plain: Command = { argv: ['/bin/sh', '-c', script], user: name, group: undefined };
        assert.deepEqual(await run(plain), { kind: 'exited', status: 1 });
        assert.deepEqual(await run({ ...plain, supplementaryGroups: true }), { kind: 'exited', status: 0 });
        const path = join(folder, 'of-daemon');
        writeFileSync(path, '#!/bin/sh\n');
        chownSync(path, 0, 1);
        chmodSync(path, 0o750);
        chmodSync(folder, 0o755);
        const own: Command = { argv: [path], user: name, group: undefined };
        assert.equal(scripts.inspect(own).problem, 'not executable');
        assert.equal(scripts.inspect({ ...own, supplementaryGroups: true }).problem, undefined);
        assert.deepEqual(await run({ ...own, supplementaryGroups: true }), { kind: 'exited', status: 0 });
      } finally {
        spawnSync('userdel', [name]);
      }
    },
  );

  await suite.test('killall -0 NAME: dead, alive, a zombie, dead', async () => {
    const name = `evg${process.pid}`;
    const ask = async () =>
      (await run(command('killall', '-0', name))).kind === 'exited' &&
      (await run(command('/usr/bin/killall', '-0', name)));
    assert.deepEqual(await ask(), { kind: 'exited', status: 1 });
    const process1 = sleeper(name);
    await once(process1.child, 'spawn');
    assert.deepEqual(await ask(), { kind: 'exited', status: 0 });
    assert.deepEqual(await run(command('pidof', name)), { kind: 'exited', status: 0 });
    assert.deepEqual(await run(command('pgrep', '-x', name.slice(0, -1))), { kind: 'exited', status: 1 });
    assert.deepEqual(await run(command('pgrep', name.slice(0, -1))), { kind: 'exited', status: 0 });
    // A shell that never waits keeps its child as a zombie; the real killall -0 takes that for alive.
    const zombie = `zom${process.pid}`;
    copyFileSync('/bin/true', join(folder, zombie));
    const holder = spawn('/bin/sh', ['-c', `${join(folder, zombie)} & exec sleep 60`], { stdio: 'ignore' });
    await once(holder, 'spawn');
    assert.deepEqual(
      await run(command('/bin/sh', '-c', `until grep -qs '(${zombie}) Z' /proc/[0-9]*/stat; do :; done`)),
      {
        kind: 'exited',
        status: 0,
      },
    );
    assert.deepEqual(await run(command('killall', '-0', zombie)), { kind: 'exited', status: 1 });
    holder.kill('SIGKILL');
    await process1.end();
    assert.deepEqual(await ask(), { kind: 'exited', status: 1 });
  });

  await suite.test('only plain questions are answered without starting a program', () => {
    assert.ok(livenessQuestion(['/usr/bin/killall', '-0', 'haproxy']));
    assert.ok(livenessQuestion(['pidof', 'haproxy']));
    assert.ok(livenessQuestion(['pkill', '-0', 'haproxy']));
    assert.ok(livenessQuestion(['/bin/sh', '-c', 'killall -0 haproxy']));
    for (const other of [
      ['killall', 'haproxy'],
      ['killall', '-0', '-u', 'haproxy'],
      ['killall', '-0', 'a', 'b'],
      ['pgrep', '-f', 'haproxy'],
      ['pgrep', 'ha.*y'],
      ['pkill', 'haproxy'],
      ['pkill', '-0', '-u', 'root', 'haproxy'],
      ['sh', '-c', 'killall -0 haproxy && curl localhost'],
      ['sh', '-c', 'killall -0\nhaproxy'],
      ['systemctl', 'is-active', 'haproxy'],
    ])
      assert.equal(livenessQuestion(other), undefined, other.join(' '));
  });

  await suite.test('a tracked file: missing, written, replaced, removed', async () => {
    const path = join(folder, 'weight');
    let wake = (_value: number) => {};
    const next = () => new Promise<number>((resolve) => (wake = resolve));
    let first = next();
    const watch = scripts.watchFile(path, (value) => wake(value));
    assert.equal(await first, 0);
    first = next();
    writeFileSync(path, '-12 because\n');
    assert.equal(await first, -12);
    first = next();
    writeFileSync(`${path}.new`, '7\n');
    renameSync(`${path}.new`, path);
    assert.equal(await first, 7);
    // Emptied and written, as a shell does: nobody hears of the 0 between.
    first = next();
    const writing = openSync(path, 'w');
    await new Promise((resolve) => setImmediate(resolve));
    writeSync(writing, '9\n');
    closeSync(writing);
    assert.equal(await first, 9);
    first = next();
    rmSync(path);
    assert.equal(await first, 0);
    watch.close();
  });

  await suite.test('a tracked process: none, one, two, one, none', async () => {
    const name = `trk${process.pid}`;
    const told: number[] = [];
    let wake = () => {};
    const watch = scripts.watchProcesses(
      { process: name, parameters: undefined, paramMatch: 'initial', fullCommand: false },
      (count) => {
        told.push(count);
        wake();
      },
    );
    const until = async (count: number) => {
      while (told.at(-1) !== count) await new Promise<void>((resolve) => (wake = resolve));
    };
    await until(0);
    const one = sleeper(name);
    await until(1);
    const two = sleeper(name);
    await until(2);
    await two.end();
    await until(1);
    await one.end();
    await until(0);
    watch.close();
  });

  await suite.test('a script that others could write is not safe for root', { skip: needs('root') }, () => {
    const path = join(folder, 'check.sh');
    writeFileSync(path, '#!/bin/sh\n');
    const asRoot: Command = { argv: [path], user: 'root', group: undefined };
    assert.equal(scripts.inspect(asRoot).problem, 'not executable');
    chmodSync(path, 0o755);
    assert.deepEqual(scripts.inspect(asRoot), { path, searched: false, problem: undefined, insecure: undefined });
    chmodSync(path, 0o757);
    assert.match(scripts.inspect(asRoot).insecure ?? '', /writable by everybody/);
    assert.equal(scripts.inspect({ ...asRoot, user: 'nobody' }).insecure, undefined);
    assert.equal(scripts.inspect(command('/nothing/here')).problem, 'ENOENT');
    assert.equal(scripts.inspect(command('sh')).searched, true);
  });
});
