/**
 * Every real keepalived.conf of the corpus: read without crash or hang; each alert names a word that stands at that place; a file is
 * refused only for a reason that is listed here. index.tsv says what Keepalived itself makes of it.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Diagnostic } from '../src/config/diagnostic.ts';
import { parseKeepalived } from '../src/config/keepalived/parse.ts';
import { buildVrrpPlan } from '../src/plan/build-vrrp.ts';
import type { VrrpPlan } from '../src/plan/vrrp.ts';
import { needs } from './requirements.ts';

const folder = new URL('../../shared/corpus/keepalived/', import.meta.url);
const seed = new URL('../../shared/seed/', import.meta.url);
const skip = needs('shared');
const names = existsSync(folder) ? globSync('*.conf', { cwd: folder.pathname }).sort() : [];

/** Lines with an alert, by file. Every file that is not here gives a plan. */
const refused: Readonly<Record<string, readonly number[]>> = {
  '016.conf': [6, 7, 8, 9, 10, 12, 15], // a template: names that nothing defines
  '017.conf': [28], // virtual_server
  '021.conf': [18, 35, 50, 90], // lvs_sync_daemon_inteface, virtual_server
  '022.conf': [31], // virtual_server
  '023.conf': [18, 34, 49, 88], // lvs_sync_daemon_inteface, virtual_server
  '025.conf': [14], // local_address_group is not a word of Keepalived
  '029.conf': [16], // virtual_server
  '030.conf': [8], // garp_master_delay in global_defs, as Keepalived too complains
  '032.conf': [20], // virtual_server
  '036.conf': [15, 28], // lvs_sync_daemon_inteface, virtual_server
  '037.conf': [2], // a template: virtual_router_id ROUTER_ID
  '038.conf': [4], // a template
  '039.conf': [20], // virtual_server
  '041.conf': [1], // local_address_group
  '047.conf': [2, 9, 11, 12, 13, 24], // a template
  '051.conf': [1], // a template
  '052.conf': [29], // virtual_server
};

function load(path: string, text: string): { diagnostics: readonly Diagnostic[]; plan: VrrpPlan | undefined } {
  const parsed = parseKeepalived([{ path, text }], { configId: 'lb', readFiles: () => [] });
  const built = buildVrrpPlan(parsed.config, { hostname: 'lb' });
  const diagnostics = [...parsed.diagnostics, ...built.diagnostics];
  const alert = diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
  return { diagnostics, plan: alert ? undefined : built.plan };
}

for (const name of names) {
  test(`corpus ${name}`, { skip }, () => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const lines = text.split('\n');
    const { diagnostics, plan } = load(name, text);
    for (const { place, message } of diagnostics) {
      const line = lines[place.line - 1];
      assert.ok(line !== undefined, `${name}:${place.line} is not in the file: ${message}`);
      assert.ok(
        place.column >= 1 && place.column - 1 + place.length <= line.length,
        `${name}:${place.line}:${place.column}`,
      );
      assert.notEqual(
        line.slice(place.column - 1).trim(),
        '',
        `${name}:${place.line}:${place.column} points at nothing`,
      );
    }
    const alerts = diagnostics.filter((diagnostic) => diagnostic.severity === 'alert').map((each) => each.place.line);
    assert.deepEqual(
      [...new Set(alerts)].sort((a, b) => a - b),
      refused[name] ?? [],
    );
    assert.equal(plan === undefined, refused[name] !== undefined);
    if (plan !== undefined) assert.ok(plan.routers.length > 0);
  });
}

test('the essay’s two files: the whole plan, and nothing to say but that scripts run as root', { skip }, () => {
  const [active, passive] = ['keepalived-active.conf', 'keepalived-passive.conf'].map((name) =>
    load(name, readFileSync(new URL(name, seed), 'utf8')),
  );
  for (const { plan, diagnostics } of [active!, passive!]) {
    assert.deepEqual(
      diagnostics.map(({ severity, code }) => [severity, code]),
      [['notice', 'risky']],
    );
    assert.deepEqual(plan!.scripts[0]!.command, { argv: ['killall', '-0', 'haproxy'], user: 'root', group: undefined });
    assert.equal(plan!.scripts[0]!.intervalMs, 2000);
    assert.equal(plan!.scripts[0]!.timeoutMs, 2000);
    assert.deepEqual(plan!.routers[0]!.trackScripts, [{ target: 0, name: 'chk_haproxy', weight: 2, reverse: false }]);
    assert.ok(Object.isFrozen(plan!.routers[0]!.settings.addresses[0]));
  }
  const settings = active!.plan!.routers[0]!.settings;
  assert.equal(settings.basePriority, 101);
  assert.equal(settings.initialState, 'active');
  assert.equal(passive!.plan!.routers[0]!.settings.basePriority, 100);
  assert.equal(passive!.plan!.routers[0]!.settings.initialState, 'backup');
});
