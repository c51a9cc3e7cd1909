import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../../test/requirements.ts';
import { parseKeepalived } from '../config/keepalived/parse.ts';
import { buildVrrpPlan } from '../plan/build-vrrp.ts';
import { dumpFile, pidFiles, writeDump, writePidFile } from './vrrp-files.ts';

function globalPlan(top: string, global = '') {
  const text = `${top}\nglobal_defs {\n${global}\n}\n`;
  const { config } = parseKeepalived([{ path: 'k.conf', text }], { configId: 'lb', readFiles: () => [] });
  return buildVrrpPlan(config, { hostname: 'lb' }).plan!.global;
}

test('pid files: none unasked; the command line before the words', () => {
  assert.deepEqual(pidFiles({}, globalPlan('')), []);
  assert.deepEqual(pidFiles({ pid: '/a' }, globalPlan('')), ['/a']);
  assert.deepEqual(pidFiles({}, globalPlan('use_pid_dir')), [
    '/run/keepalived/keepalived.pid',
    '/run/keepalived/vrrp.pid',
  ]);
  assert.deepEqual(pidFiles({ pid: '/a' }, globalPlan('instance lb')), ['/a', '/run/keepalived/vrrp_lb.pid']);
});

test('pid files under the name keepalived: where Keepalived has them', () => {
  const asKeepalived = true;
  assert.deepEqual(pidFiles({ asKeepalived }, globalPlan('')), ['/run/keepalived.pid', '/run/vrrp.pid']);
  assert.deepEqual(pidFiles({ asKeepalived, pid: '/a' }, globalPlan('')), ['/a', '/run/vrrp.pid']);
  assert.deepEqual(pidFiles({ asKeepalived }, globalPlan('use_pid_dir')), pidFiles({}, globalPlan('use_pid_dir')));
  assert.deepEqual(pidFiles({ asKeepalived }, globalPlan('net_namespace blue')), []);
});

test('dumps: Keepalived’s names, in folders, with the instance, or as named', () => {
  const usual = globalPlan('');
  assert.deepEqual(
    (['state', 'stats', 'json'] as const).map((kind) => dumpFile(kind, usual)),
    ['/tmp/keepalived.data', '/tmp/keepalived.stats', '/tmp/keepalived.json'],
  );
  const named = globalPlan(
    'instance lb',
    'data_use_instance\nstats_file_location /run/\njson_file_location /run/x.json',
  );
  assert.equal(dumpFile('state', named), '/tmp/keepalived.lb.data');
  assert.equal(dumpFile('stats', named), '/run/keepalived.stats');
  assert.equal(dumpFile('json', named), '/run/x.json');
});

test('a pid file that can’t be written is told of, and no reason to end', () => {
  assert.equal(writePidFile('/dev/null/x.pid'), 'EEXIST');
});

test('a dump takes its name whole, over whatever another user left there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-dump-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const target = join(folder, 'secret');
  const dump = join(folder, 'keepalived.data');
  writeFileSync(target, 'secret');
  symlinkSync(target, dump);
  assert.equal(writeDump(dump, 'one'), undefined);
  assert.equal(readFileSync(target, 'utf8'), 'secret');
  assert.ok(lstatSync(dump).isFile());
  chmodSync(dump, 0o666);
  const before = statSync(dump);
  const umask = process.umask(0o177);
  assert.equal(writeDump(dump, 'two'), undefined);
  process.umask(umask);
  assert.notEqual(statSync(dump).ino, before.ino);
  assert.equal(statSync(dump).mode & 0o777, 0o600);
  assert.equal(readFileSync(dump, 'utf8'), 'two');
  assert.deepEqual(readdirSync(folder).sort(), ['keepalived.data', 'secret']);
  assert.equal(writeDump(join(folder, 'nowhere', 'x'), ''), 'ENOENT');
  assert.equal(writeDump(folder, ''), 'EISDIR');
  assert.deepEqual(readdirSync(folder).sort(), ['keepalived.data', 'secret']);
});

test('a dump to a device leaves the device there', { skip: needs('linux', 'root') }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-dump-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const nowhere = join(folder, 'null');
  spawnSync('mknod', [nowhere, 'c', '1', '3']);
  assert.equal(writeDump(nowhere, 'x'), undefined);
  assert.ok(lstatSync(nowhere).isCharacterDevice());
});
