/** The command lines of HAProxy and Keepalived, under their names, as their users and units write them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../ports.ts';
import { needs } from '../requirements.ts';
import { defaults, folderFor, getOnce, program, start, webServer, write } from './loopback.ts';

/** The program under another name. */
function link(folder: string, name: string): string {
  const path = join(folder, name);
  symlinkSync(program, path);
  return path;
}

function run(command: string, argv: readonly string[], cwd?: string) {
  const { status, stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8', cwd });
  return { status, stdout, stderr };
}

const sound = `${defaults}\nlisten web\n bind 127.0.0.1:8080\n server s 127.0.0.1:8081\n`;
const bad = `${defaults}\nlisten web\n bind 127.0.0.1:8080\n server s 127.0.0.1:8081 chekc\n`;

interface Setting {
  readonly folder: string;
  readonly haproxy: string;
  readonly file: string;
  readonly bad: string;
}

function haproxySetting(t: TestContext): Setting {
  const folder = folderFor(t);
  return {
    folder,
    haproxy: link(folder, 'haproxy'),
    file: write(folder, 'sound.cfg', sound),
    bad: write(folder, 'bad.cfg', bad),
  };
}

test('haproxy -c: valid or not, by words and status', (t) => {
  const { folder, haproxy, file, bad: badFile } = haproxySetting(t);
  for (const argv of [
    ['-c', '-f', file],
    ['-cf', file],
    ['-c', '--', file],
    ['-c', '-V', '-C', folder, '-f', 'sound.cfg'],
  ])
    assert.deepEqual(run(haproxy, argv), { status: 0, stdout: 'Configuration file is valid\n', stderr: '' });
  assert.deepEqual(run(haproxy, ['-q', '-c', '-f', file]), { status: 0, stdout: '', stderr: '' });
  const refused = run(haproxy, ['-c', '-f', badFile]);
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /^\[ALERT\] +\(\d+\) : config : parsing \[.*bad\.cfg:10\] : .*'chekc'/m);
  assert.match(refused.stderr, /did you mean 'check'/);
});

test('haproxy -f: a file that is not there, none at all, several, and a folder', (t) => {
  const { folder, haproxy } = haproxySetting(t);
  const missing = run(haproxy, ['-c', '-f', join(folder, 'none.cfg')]);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.cfg : No such file or directory\n$/);
  assert.equal(missing.stderr.split('\n').length, 2, 'one message');
  assert.equal(run(haproxy, ['-c']).status, 1);
  const parts = join(folder, 'parts');
  mkdirSync(parts);
  const first = write(parts, '10-defaults.cfg', defaults);
  const second = write(parts, '20-web.cfg', 'listen web\n bind 127.0.0.1:8080\n server s 127.0.0.1:8081\n');
  write(parts, 'notes.txt', 'not read');
  for (const argv of [
    ['-f', first, '-f', second],
    ['-f', parts],
    ['--', first, second],
  ])
    assert.equal(run(haproxy, ['-c', ...argv]).status, 0, argv.join(' '));
});

test('haproxy -v and -vv', (t) => {
  const { haproxy } = haproxySetting(t);
  const short = run(haproxy, ['-v']);
  assert.equal(short.status, 0);
  assert.match(short.stdout, /^Evergate version \d+\.\d+\.\d+ /);
  assert.ok(run(haproxy, ['-vv']).stdout.length > short.stdout.length);
});

test('haproxy as Debian starts it: -Ws -f -p -S; the pidfile goes with the process', { timeout: 20_000 }, async (t) => {
  const folder = folderFor(t);
  const server = await webServer(t, 'hello');
  const port = await freePort();
  const pidfile = join(folder, 'haproxy.pid');
  const file = write(
    folder,
    'haproxy.cfg',
    `global\n description up\n${defaults}\nlisten web\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${server.port}\n`,
  );
  const argv = ['-Ws', '-f', file, '-p', pidfile, '-S', '/run/haproxy-master.sock'];
  const process = start(t, link(folder, 'haproxy'), argv);
  await process.said(/: up$/m);
  assert.match(process.output(), /-S has no effect: there is no master to talk to/);
  assert.equal(Number(readFileSync(pidfile, 'utf8')), process.pid);
  assert.equal((await getOnce(port)).body, 'hello');
  process.child.kill('SIGTERM');
  assert.equal(await process.ended(), 0);
  assert.throws(() => readFileSync(pidfile));
});

test('haproxy -D: the caller gets its status once everything is bound', {
  skip: needs('linux'),
  timeout: 20_000,
}, async (t) => {
  const folder = folderFor(t);
  const haproxy = link(folder, 'haproxy');
  const server = await webServer(t, 'hello');
  const port = await freePort();
  const pidfile = join(folder, 'haproxy.pid');
  const file = write(
    folder,
    'haproxy.cfg',
    `${defaults}\nlisten web\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${server.port}\n`,
  );
  const caller = start(t, haproxy, ['-D', '-f', file, '-p', pidfile]);
  assert.equal(await caller.ended(), 0);
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.notEqual(pid, caller.pid);
  assert.equal((await getOnce(port)).body, 'hello');

  // Of unix sockets a second process may have none; here the address is another program's.
  const taken = write(
    folder,
    'taken.cfg',
    `${defaults}\nlisten web\n bind 127.0.0.1:${server.port}\n server s 127.0.0.1:${server.port}\n`,
  );
  const refused = start(t, haproxy, ['-D', '-f', taken]);
  assert.equal(await refused.ended(), 1);
  assert.match(refused.output(), /cannot bind 127\.0\.0\.1:\d+: the address is in use/);
});

test('keepalived -t, with the options that units pass', (t) => {
  const folder = folderFor(t);
  const keepalived = link(folder, 'keepalived');
  const good = write(
    folder,
    'good.conf',
    'vrrp_instance a {\n interface eth0\n virtual_router_id 51\n priority 100\n virtual_ipaddress {\n  10.9.9.9\n }\n}\n',
  );
  const wrong = write(folder, 'wrong.conf', 'vrrp_instance a {\n interface eth0\n prioritty 100\n}\n');
  for (const argv of [
    ['-t', '-f', good],
    ['-n', '-l', '-D', '-p', '/x', '-r', '/y', '-t', '-f', good],
    ['--config-test', `--use-file=${good}`],
  ])
    assert.equal(run(keepalived, argv).status, 0, argv.join(' '));
  const refused = run(keepalived, ['-t', '-f', wrong]);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /wrong\.conf:3\).*'prioritty'/);
});

test('keepalived --signum and -v: what monitoring asks the program itself', (t) => {
  const keepalived = link(folderFor(t), 'keepalived');
  for (const [name, number] of Object.entries({ STOP: 15, RELOAD: 1, DATA: 10, STATS: 12, JSON: 36 }))
    assert.deepEqual(run(keepalived, [`--signum=${name}`]), { status: 0, stdout: `${number}\n`, stderr: '' });
  assert.equal(run(keepalived, ['--signum', 'JSON']).stdout, '36\n');
  const unknown = run(keepalived, ['--signum=STATS_CLEAR']);
  assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /^Unknown sigfunc STATS_CLEAR/);
  for (const word of ['-v', '--version']) {
    const { status, stdout, stderr } = run(keepalived, [word]);
    assert.deepEqual([status, stdout], [0, '']);
    assert.match(stderr, /^Keepalived v2\.2\.7 \(.*Evergate version .*\)\n[\s\S]*--enable-json/);
  }
});

test('keepalived --signum and -v say what Keepalived says', { skip: needs('linux', 'keepalived') }, (t) => {
  const ours = link(folderFor(t), 'keepalived');
  for (const name of ['STOP', 'RELOAD', 'DATA', 'STATS', 'JSON'])
    assert.deepEqual(run(ours, [`--signum=${name}`]), run('keepalived', [`--signum=${name}`]), name);
  const version = (command: string) => {
    const { status, stdout, stderr } = run(command, ['-v']);
    return {
      status,
      stdout,
      words: stderr.split('\n')[0]!.split(' ').slice(0, 2),
      json: stderr.includes('--enable-json'),
    };
  };
  assert.deepEqual(version(ours), version('keepalived'));
});

test('--help of every command reads like a manual: usage, what it does, options, signals', () => {
  for (const [command, words] of [
    ['run', /Signals: [\s\S]*TERM[\s\S]*HUP/],
    ['balance', /Signals: [\s\S]*TERM[\s\S]*USR1[\s\S]*HUP/],
    ['vrrp', /Signals: [\s\S]*TERM[\s\S]*HUP/],
    ['check', /haproxy\.cfg and keepalived\.conf/],
  ] as const) {
    const { status, stdout } = run(program, [command, '--help']);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^Usage: evergate ${command} `));
    assert.match(stdout, words);
    assert.ok(
      stdout.split('\n').every((line) => line.length <= 140),
      `${command}: long lines`,
    );
  }
});
