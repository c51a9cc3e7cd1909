/** A few seconds of simulation: invariants hold, kept failures stay mended, every mutant is found, failures shrink and replay. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Violation } from './monitor.ts';
import { loadMutant, mutants } from './mutants.ts';
import type { Parts } from './parts.ts';
import type { Schedule } from './schedule.ts';
import { shrink } from './shrink.ts';
import { scheduleFor } from './trouble.ts';
import { runSchedule } from './world.ts';

function firstFailure(parts: Parts | undefined, from: number, count: number) {
  for (let seed = from; seed < from + count; seed++) {
    const schedule = scheduleFor(seed);
    const violation = runSchedule(schedule, parts === undefined ? {} : { parts });
    if (violation !== undefined) return { schedule, violation };
  }
  return undefined;
}

test('no invariant is broken in 3,000 schedules of a minute each', () => {
  const failure = firstFailure(undefined, 1, 3000);
  assert.equal(failure, undefined, failure ? `seed ${failure.schedule.seed}: ${failure.violation.text}` : '');
});

/** A schedule that once failed; `found`: the mistake it shows, by the name of its mutant. */
interface Kept {
  readonly found?: string;
  readonly violation: Violation;
  readonly schedule: Schedule;
}

for (const file of globSync(fileURLToPath(new URL('regressions/*.json', import.meta.url))).sort()) {
  test(`kept: ${file.slice(file.lastIndexOf('/') + 1)}`, async () => {
    const { found, schedule, violation }: Kept = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(runSchedule(schedule), undefined);
    const mutant = mutants.find(({ name }) => name === found);
    if (mutant !== undefined)
      assert.deepEqual(runSchedule(schedule, { parts: await loadMutant(mutant) }), violation, 'shows the mistake');
  });
}

test('the same seed gives the same run', () => {
  const told = () => {
    const lines: string[] = [];
    runSchedule(scheduleFor(7), { tell: (at, text) => lines.push(`${at} ${text}`) });
    return lines;
  };
  assert.deepEqual(told(), told());
});

for (const mutant of mutants.filter(({ rare }) => rare !== true)) {
  test(`found: ${mutant.name}`, async (context) => {
    const parts = await loadMutant(mutant);
    const failure = firstFailure(parts, 1, 5000);
    assert.ok(failure !== undefined, 'not found in 5,000 schedules');
    context.diagnostic(`seed ${failure.schedule.seed}: ${failure.violation.invariant}, ${failure.violation.text}`);
  });
}

test('a failure shrinks to a few faults that still show it', async () => {
  const parts = await loadMutant(mutants.find(({ name }) => name.startsWith('an active router does not step down'))!);
  const failure = firstFailure(parts, 1, 5000)!;
  const small = shrink(failure, { parts });
  assert.equal(small.violation.invariant, failure.violation.invariant);
  assert.ok(small.schedule.faults.length <= Math.min(3, failure.schedule.faults.length));
  assert.deepEqual(runSchedule(JSON.parse(JSON.stringify(small.schedule)), { parts }), small.violation);
});
