/**
 * HAProxy files from public repositories, read by us and by the real program: no crash, nothing half-accepted, and what HAProxy refuses
 * at a line we refuse at that line too. `../shared/corpus/index.tsv` tells what `haproxy -c` 2.6.12 said; where it is installed it is asked again.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Diagnostic } from '../src/config/diagnostic.ts';
import { parseHaproxy } from '../src/config/haproxy/parse.ts';
import type { BalancerWorld } from '../src/plan/balancer-world.ts';
import { namesToResolve } from '../src/plan/balancer-world.ts';
import { type BuiltBalancer, buildBalancerPlan } from '../src/plan/build-balancer.ts';
import { needs } from './requirements.ts';

const corpus = new URL('../../shared/corpus/haproxy/', import.meta.url);
const golden = new URL('golden/haproxy/', import.meta.url);

/** Every name known and every file readable: what is left is the configuration's own fault. */
function kindWorld(names: readonly string[]): BalancerWorld {
  return {
    hostname: 'host',
    processors: 2,
    addresses: new Map(names.map((name) => [name, [{ family: 'ipv4', host: '192.0.2.1' }]])),
    readFile: () => new TextEncoder().encode('HTTP/1.0 503 x\r\n\r\n'),
    userId: () => 1,
    groupId: () => 1,
  };
}

function read(
  name: string,
  folder = corpus,
): { diagnostics: readonly Diagnostic[]; built: BuiltBalancer; text: string } {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const { config, diagnostics } = parseHaproxy([{ path: name, text }], []);
  const built = buildBalancerPlan(config, kindWorld(namesToResolve(config)));
  return { diagnostics: [...diagnostics, ...built.diagnostics], built, text };
}

function files(folder = corpus): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cfg'))
    .sort();
}

/** Files that use nothing but what Evergate does. A change here is a change of what we support: extend it with the table. */
const loading = [
  '013', '021', '023', '024', '025', '026', '027', '028', '029', '030', '032', '035', '054', '064', '072', '075', '082', '090', '096', '112', '113',
].map((number) => `${number}.cfg`); // biome-ignore format: a list of numbers

test('files with supported words only give a Plan, all others name what is wrong', { skip: needs('shared') }, () => {
  for (const name of files()) {
    const { built, diagnostics } = read(name);
    const alerts = diagnostics.filter((one) => one.severity === 'alert');
    assert.equal(built.plan !== undefined, alerts.length === 0, `${name}: a plan exactly when nothing is wrong`);
    assert.equal(built.plan !== undefined, loading.includes(name), `${name}: ${alerts[0]?.message ?? 'loads'}`);
  }
});

test('every place points at the words that the message is about', { skip: needs('shared') }, () => {
  for (const name of files()) {
    const { diagnostics, text } = read(name);
    const lines = text.split('\n');
    for (const { place, message, code } of diagnostics) {
      const line = lines[place.line - 1];
      assert.ok(
        line !== undefined && place.column + place.length - 1 <= line.length + 1,
        `${name}:${place.line}: ${message}`,
      );
      if (code !== 'unsupported-word' && code !== 'unknown-word') continue;
      const word = line.slice(place.column - 1, place.column - 1 + place.length).split(/[\s(]/)[0]!;
      // Words from quotes and addresses are shown in part only.
      if (/^[a-z][a-z0-9_.-]+$/.test(word) && !line.includes('"'))
        assert.ok(message.includes(word), `${name}:${place.line}: ${word} / ${message}`);
    }
  }
});

/** Lines that HAProxy refuses and we don't, each kind with the reason why that is right. */
const justified: readonly (readonly [RegExp, string])[] = [
  [/could not resolve address/, 'a name of the environment; ours is answered in this test'],
  [/error opening file|unable to stat|cannot open|unable to load|failed to open/, 'a file of the environment'],
  [/'listen' or 'defaults' expected/, 'follows from a section line that was refused; we go on with its lines'],
  [
    /unknown keyword 'on' in 'defaults' section/,
    "a line of a later version's section, which we refuse once, at its head",
  ],
];

test('what haproxy -c refuses at a line, we refuse at that line', { skip: needs('shared', 'haproxy') }, () => {
  for (const name of files()) {
    assertRefusedToo(name, corpus);
  }
});

test('the golden files, too, are refused where haproxy -c refuses them', { skip: needs('haproxy') }, () => {
  for (const name of files(golden)) assertRefusedToo(name, golden);
});

function assertRefusedToo(name: string, folder: URL): void {
  const { alerts: theirs } = realAlerts(name, folder);
  const { diagnostics } = read(name, folder);
  const ours = new Set(diagnostics.filter((one) => one.severity === 'alert').map((one) => one.place.line));
  for (const { line, message } of theirs) {
    if (justified.some(([pattern]) => pattern.test(message))) continue;
    assert.ok(ours.has(line), `${name}:${line}: HAProxy says: ${message}`);
  }
}

test('what we call wrong, not merely unsupported, haproxy -c refuses too', { skip: needs('shared', 'haproxy') }, () => {
  for (const name of files()) {
    const wrong = read(name).diagnostics.filter((one) => one.severity === 'alert' && one.code !== 'unsupported-word');
    if (wrong.length === 0) continue;
    // `quiet` in the file silences HAProxy's alerts, not its exit status; other files stop it before it gets to this line.
    assert.ok(realAlerts(name).refused, `${name}:${wrong[0]!.place.line}: only we refuse: ${wrong[0]!.message}`);
  }
});

interface RealAnswer {
  readonly refused: boolean;
  readonly alerts: readonly { line: number; message: string }[];
}

const asked = new Map<string, RealAnswer>();

function realAlerts(name: string, folder = corpus): RealAnswer {
  const known = asked.get(`${folder}${name}`);
  if (known !== undefined) return known;
  const path = `${process.env['PATH']}:/usr/sbin`;
  // The environment's variables would be part of the answer; both sides get none.
  const { stderr, status } = spawnSync('haproxy', ['-c', '-f', name], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: path },
  });
  const alerts = stderr.split('\n').flatMap((line) => {
    const match = /^\[ALERT\].*?\[[\w-]+\.cfg:(\d+)\] ?: (.*)$/.exec(line);
    return match === null ? [] : [{ line: Number(match[1]), message: match[2]! }];
  });
  const answer = { refused: status !== 0, alerts };
  asked.set(`${folder}${name}`, answer);
  return answer;
}
