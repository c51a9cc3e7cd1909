/** The short set: what must cost clients nothing or next to it, rehearsed on the example's files in both worlds, through the command that users have. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyMs } from '../../src/lab/verdict.ts';
import { needs } from '../requirements.ts';

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const files = [
  ...['-f', path('examples/haproxy.cfg')],
  ...['-k', `lb1=${path('examples/keepalived-active.conf')}`],
  ...['-k', `lb2=${path('examples/keepalived-passive.conf')}`],
];

const set = ['server-killed', 'reload', 'reload-bad-file', 'orderly-stop', 'balancer-killed'];
/** Faults of the set that may cost requests: those that a dead balancer had in hand. */
const mayFail: Readonly<Record<string, number>> = { 'balancer-killed': Infinity };

interface Results {
  readonly drills: readonly Run[];
  readonly notPlayed: readonly { readonly name: string }[];
}

interface Run {
  readonly name: string;
  readonly runs: readonly { readonly predictions: readonly Predicted[] }[];
  readonly predictionHeld: boolean;
  readonly clean: boolean;
  readonly failed: { readonly worst: number };
  readonly ownDelayMs: { readonly worst: number };
  readonly reasons: readonly string[];
}

interface Predicted {
  readonly step: string;
  readonly active: readonly string[];
  readonly seen: readonly string[];
  readonly held: boolean;
}

/** What a world says of a drill, without its times: those differ by what processes and the machine take. */
function verdictOf({ predictionHeld, clean, failed, runs }: Run, name: string) {
  const steps = runs[0]!.predictions.map(({ step, active, seen, held }) => ({ step, active, seen, held }));
  return { predictionHeld, clean, failed: name in mayFail ? 'some may' : failed.worst, steps };
}

function isWell({ name, predictionHeld, clean, failed }: Run): boolean {
  return predictionHeld && clean && failed.worst <= (mayFail[name] ?? 0);
}

async function drill(...words: readonly string[]): Promise<{ readonly status: number; readonly text: string }> {
  const child = spawn(process.execPath, [path('src/main.ts'), 'drill', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      text += bytes;
    });
  const [status] = (await once(child, 'close')) as [number];
  return { status, text };
}

test('the short set of drills', {
  skip: needs('linux', 'root', 'namespaces', 'ip', 'nsenter'),
  timeout: 300_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-drills-'));
  try {
    const report = join(folder, 'report.json');
    const read = () => JSON.parse(readFileSync(report, 'utf8')) as Results;
    const rehearse = async (names: readonly string[]) => {
      const wanted = names.flatMap((name) => ['--drill', name]);
      const { status, text } = await drill(...files, ...wanted, '--json', report, '--junit', join(folder, 'junit.xml'));
      assert.ok(status === 0 || status === 1, text);
      return { drills: read().drills, text };
    };
    const first = await rehearse(set);
    const { text } = first;
    assert.deepEqual(
      first.drills.map(({ name }) => name),
      set,
    );
    assert.match(readFileSync(join(folder, 'junit.xml'), 'utf8'), /<testsuite name="evergate drill" tests="5"/);
    // A prober that was late saw a busy machine: what it says against a drill is looked at once more.
    const doubtful = first.drills
      .filter((run) => !isWell(run) && run.ownDelayMs.worst > busyMs)
      .map(({ name }) => name);
    const second = doubtful.length === 0 ? [] : (await rehearse(doubtful)).drills;
    const drills = first.drills.map((run) => second.find(({ name }) => name === run.name) ?? run);
    for (const { name, predictionHeld, clean, failed, reasons } of drills)
      await t.test(name, () => {
        assert.ok(predictionHeld && clean, reasons.join('\n'));
        assert.ok(failed.worst <= (mayFail[name] ?? 0), text);
      });
    const wanted = set.flatMap((name) => ['--drill', name]);
    const simulated = await drill(...files, ...wanted, '--simulate', '--json', report);
    assert.equal(simulated.status, 0, simulated.text);
    const played = read();
    assert.deepEqual(
      played.notPlayed.map(({ name }) => name),
      ['server-killed'],
    );
    for (const run of played.drills)
      await t.test(`${run.name}: the simulator has the same verdict`, () => {
        const real = drills.find(({ name }) => name === run.name)!;
        assert.deepEqual(verdictOf(run, run.name), verdictOf(real, run.name), text);
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('drills are listed; what is wrong on the command line is said, with status 2', async () => {
  const listed = await drill('--list');
  assert.equal(listed.status, 0);
  assert.match(listed.text, /balancer-killed +Balancer killed on the active node/);
  const refused = await Promise.all([
    drill(...files, '--trials', '0'),
    drill(...files, '--slo', 'speed=1'),
    drill(...files, '--drill', 'no-such-drill'),
    drill(...files, '--seed', '3'),
    drill(...files, '--simulate', '--drill', 'overload'),
    drill('--drill', 'reload'),
  ]);
  for (const { status, text } of refused) assert.equal(status, 2, text);
});
