/**
 * Nothing is accepted and ignored: what a keyword is read into goes into the Plan, and each field of the Plan has a reader in the engine,
 * the adapters or the commands. What has none is listed here with the reason why nothing is lost.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** Fields of the Plan that nobody reads. */
const withoutReader: Readonly<Record<string, string>> = {
  'Timeouts.tarpit': 'only `http-request tarpit` uses it, which is refused',
  'BindPlan.name': 'shown in statistics of listeners, which there are none of',
  'BindPlan.maxconn': "the plan itself makes it the frontend's, or refuses it",
};

/** Fields of the Config that the Plan does not take over, or not by a name that this test can see. */
const notPlanned: Readonly<Record<string, string>> = {
  'GlobalSettings.tlsDefaults': 'notes that the notice about TLS has been given',
  'ForwardForSetting.header': 'planned as a whole',
  'ForwardForSetting.ifNone': 'planned as a whole',
  'ForwardForSetting.except': 'planned as a whole',
  'HttpCheckLine.uri': 'taken by its key',
  'HttpCheckLine.version': 'taken by its key',
  'ProxySettings.serverDefaults': 'the parser gives each server line what was in force there',
  'ProxySettings.description': 'shown in statistics pages, which there are none of',
};

interface Field {
  readonly owner: string;
  readonly name: string;
}

/** The fields of the interfaces of a file. */
function fieldsOf(path: string): Field[] {
  const fields: Field[] = [];
  let owner = '';
  let depth = 0;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const opened = /^export interface (\w+)/.exec(line);
    if (opened !== null) owner = opened[1]!;
    const field = /^ {2}(?:readonly )?(\w+)\??:/.exec(line);
    if (field !== null && owner !== '' && depth === 1) fields.push({ owner, name: field[1]! });
    depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
    if (depth === 0) owner = '';
  }
  return fields;
}

/** Source without comments, so that a name in a sentence counts for nothing. */
function sources(pattern: string, but: RegExp): string {
  return globSync(pattern)
    .filter((path) => !but.test(path) && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
    .join('\n');
}

/** `x.name`, or `name` taken out of an object; for what is `global`, out of nothing else. */
function isRead(text: string, { owner, name }: Field): boolean {
  const isGlobal = owner === 'GlobalPlan';
  const reader = isGlobal
    ? new RegExp(`\\bglobal\\??\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\}\\s*=\\s*[\\w.#]*\\bglobal\\b`)
    : new RegExp(`\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\}\\s*(?:=[^>=]|:\\s*[A-Z]|\\)|=>)`);
  return reader.test(text);
}

function unread(fields: readonly Field[], text: string): string[] {
  return fields.filter((field) => !isRead(text, field)).map(({ owner, name }) => `${owner}.${name}`);
}

test('every field of the Plan is read by somebody who acts on it', () => {
  const fields = fieldsOf('src/plan/balancer.ts');
  assert.ok(fields.length > 100, `${fields.length} fields found`);
  const missing = unread(fields, sources('src/{engine,adapters,commands,core}/**/*.ts', /vrrp|explain|failover/));
  assert.deepEqual(
    missing.filter((field) => withoutReader[field] === undefined),
    [],
  );
  const names = new Set(fields.map(({ owner, name }) => `${owner}.${name}`));
  for (const field of Object.keys(withoutReader)) assert.ok(names.has(field), `${field} is no longer in the Plan`);
});

/** Fields of the VRRP plan that nobody reads. */
const vrrpWithoutReader: Readonly<Record<string, string>> = {
  'VrrpGlobalPlan.dynamicInterfaces':
    'the plan itself refuses a missing interface without it; the engine waits for any',
  'FirewallPlan.interfaceIndexes': 'always so',
  'SchedulingPlan.realtimeLimitUs': 'its words have no effect, each with its reason',
  'SchedulingPlan.autoPriorityMax': 'its word has no effect, with its reason',
  'SchedulingPlan.autoPriorityDelayUs': 'its word has no effect, with its reason',
  'VirtualRouterPlan.ipvlan': 'its word is refused',
  'VirtualRouterPlan.vrf': 'its word is refused',
  'VirtualRouterSettings.initialState': 'kept for what people read; the priority decides (keepalived.conf(5), state)',
  'VirtualRouterSettings.lateTimerPriority': 'always so: a late router assumes that it was replaced',
  'VirtualAddress.noDad': 'always so: no virtual address waits for duplicate detection',
};

test('every field of the VRRP plan is read by somebody who acts on it', () => {
  const fields = [...fieldsOf('src/plan/vrrp.ts'), ...fieldsOf('src/core/vrrp/settings.ts')];
  assert.ok(fields.length > 120, `${fields.length} fields found`);
  const missing = unread(
    fields,
    sources('src/{engine,adapters,commands,core}/**/*.ts', /engine\/(?!failover|ports)|uring|explain/),
  );
  assert.deepEqual(missing.sort(), Object.keys(vrrpWithoutReader).sort());
});

test('this test sees when a reader is missing', () => {
  const text = sources('src/{engine,adapters,commands,core}/**/*.ts', /vrrp|explain|failover/);
  const without = text.replaceAll('plan.global.cpuMap', 'nothing').replaceAll('holdMs', 'nothing');
  const missing = unread(fieldsOf('src/plan/balancer.ts'), without).filter(
    (field) => withoutReader[field] === undefined,
  );
  assert.deepEqual(missing.sort(), ['GlobalPlan.cpuMap', 'ResolversPlan.holdMs']);
});

test('every setting that a keyword is read into is planned', () => {
  const fields = fieldsOf('src/config/haproxy/config.ts');
  assert.ok(fields.length > 80, `${fields.length} fields found`);
  const planned = sources('src/plan/*.ts', /vrrp/);
  assert.deepEqual(
    unread(fields, planned).filter((field) => notPlanned[field] === undefined),
    [],
  );
});

test('a supported row has a reader, and only a supported row', async () => {
  const { globalTable, proxyTable, resolversTable } = await import('../src/config/haproxy/table.ts');
  const rows = [...globalTable.rows(), ...proxyTable.rows(), ...resolversTable.rows()];
  for (const row of rows) assert.equal(row.read !== undefined, row.support.kind === 'yes', row.word);
});
