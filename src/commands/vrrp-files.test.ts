import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKeepalived } from '../config/keepalived/parse.ts';
import { buildVrrpPlan } from '../plan/build-vrrp.ts';
import { dumpFile, pidFiles, writePidFile } from './vrrp-files.ts';

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
