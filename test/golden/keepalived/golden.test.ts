/**
 * Golden keepalived.conf files: beside each `name.conf` stands `name.json` with what is said about it and the plan it gives (the global
 * part without what an empty file gives). EVERGATE_UPDATE_GOLDEN=1 writes them anew: read the difference before you commit it.
 * Where keepalived is installed, `keepalived -t` must agree about each file, but for the exceptions listed here with their reason.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { Diagnostic } from '../../../src/config/diagnostic.ts';
import { parseKeepalived } from '../../../src/config/keepalived/parse.ts';
import { buildVrrpPlan } from '../../../src/plan/build-vrrp.ts';
import { needs } from '../../requirements.ts';

const folder = import.meta.dirname;
const files = globSync('*.conf', { cwd: folder }).sort();

/** Files of which keepalived 2.2.7 -t says something else than Evergate, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'broken.conf': 'after a broken line Keepalived misreads those that follow',
  'ipv6.conf': 'Keepalived sets version 3 and takes a first address that is not link-local without a word in -t',
  'newer-words.conf': 'words of Keepalived 2.3 and of Evergate',
  'vmac-taken.conf': 'Keepalived says it when it runs, and disables one of the routers',
  'refused.conf': 'Keepalived does IPVS, SNMP and DBus',
  'refused-words.conf': 'Keepalived has these words',
};

/** Of iproute2's names those that every machine has. */
const routingNames: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255, static: 4, AF11: 0x28 };

interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  readonly plan: Record<string, unknown> | undefined;
}

function load(name: string, text: string): Outcome {
  const parsed = parseKeepalived([{ path: name, text }], { configId: 'lb1', readFiles: () => [] });
  const built = buildVrrpPlan(parsed.config, {
    hostname: 'lb1',
    userExists: (user, group) => user !== 'keepalived_script' && user !== 'nosuch' && group !== 'nosuch',
    routingNumber: (_, routingName) => routingNames[routingName],
  });
  const refused = parsed.diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
  return {
    diagnostics: [...parsed.diagnostics, ...built.diagnostics],
    plan: refused || built.plan === undefined ? undefined : { ...built.plan },
  };
}

function describe({ place, severity, code, message, hint }: Diagnostic): string {
  return `${place.line}:${place.column}+${place.length} ${severity} ${code}: ${message}${hint === undefined ? '' : ` | ${hint}`}`;
}

const empty = load('empty.conf', '').plan;

function expectation(outcome: Outcome): string {
  const { global, ...rest } = outcome.plan ?? {};
  const usual = empty?.['global'] as Record<string, unknown>;
  const changed = Object.entries((global ?? {}) as Record<string, unknown>).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key]),
  );
  const used = Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return `${JSON.stringify(
    {
      diagnostics: outcome.diagnostics.map(describe),
      plan: outcome.plan === undefined ? null : { global: Object.fromEntries(changed), ...Object.fromEntries(used) },
    },
    null,
    2,
  )}\n`;
}

for (const name of files) {
  test(`golden ${name}`, () => {
    const actual = expectation(load(name, readFileSync(join(folder, name), 'utf8')));
    const path = join(folder, `${basename(name, '.conf')}.json`);
    if (process.env['EVERGATE_UPDATE_GOLDEN'] === '1') writeFileSync(path, actual);
    assert.ok(existsSync(path), `${path} is missing: run with EVERGATE_UPDATE_GOLDEN=1`);
    assert.equal(actual, readFileSync(path, 'utf8'));
  });
}

/** The interfaces of the golden files, and a root user's view of nothing else. */
const setUp = `ip link set lo up
for i in 0 1 2 3 4 5 6 7 8 9; do
  ip link add eth$i type veth peer name p$i && ip link set eth$i up && ip link set p$i up && ip addr add 192.168.$i.5/24 dev eth$i
done`;

test('keepalived -t agrees on the golden files', { skip: needs('linux', 'root', 'namespaces', 'keepalived') }, () => {
  const listed = files.filter((name) => exceptions[name] === undefined);
  const script = `${setUp}
for file in ${listed.map((name) => `'${join(folder, name)}'`).join(' ')}; do
  echo "file $file"; keepalived -t -i lb1 -f "$file" 2>&1
done`;
  const { stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', `PATH=$PATH:/usr/sbin:/sbin\n${script}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const reports = stdout.split(/^file /m).slice(1);
  assert.equal(reports.length, listed.length, stderr);
  assert.deepEqual(reports.flatMap(disagreements), []);
});

/** Where one finds fault and the other doesn't: with the file at all, or with a line (Keepalived gives no line for some of its faults). */
function disagreements(report: string): string[] {
  const [path, ...said] = report.trimEnd().split('\n');
  const name = basename(path!);
  const theirs = said.filter((line) => !notAFault.test(line));
  const ours = load(name, readFileSync(path!, 'utf8')).diagnostics.filter(counts);
  if ((theirs.length === 0) !== (ours.length === 0))
    return [`${name}: keepalived: ${theirs.join('; ') || 'nothing'}; Evergate: ${ours.map(describe).join('; ') || 'nothing'}`];
  const lines = new Set(ours.map((diagnostic) => diagnostic.place.line));
  return theirs.flatMap((line) => {
    const number = /Line (\d+)\)/.exec(line)?.[1];
    const known = number === undefined || lines.has(Number(number)) || lineExceptions.some((each) => each.test(line));
    return known ? [] : [`${name}: only keepalived: ${line}`];
  });
}

/** Said on every run as root with a script, or a second line about what another line has said. */
const notAFault = /SECURITY VIOLATION|^$/;
/** What Keepalived says at another line than Evergate, or about what follows from an earlier line. */
const lineExceptions = [
  /No script set|does not have any delay set|requires vmac_xmit_base/, // told at the closing brace; Evergate: at the word
  /Routing table nosuch not found/, // names of tables are the adapter's to look up
  /Unknown keyword '(}|router_id|10\.)/, // the inside of a block whose word is unknown
];

/** What keepalived -t reports. It says nothing about a word too many. */
function counts(diagnostic: Diagnostic): boolean {
  return diagnostic.severity !== 'notice' && diagnostic.code !== 'extra-argument';
}
