/** Keepalived's rise and fall, in virtual time, with scripts that end when the test says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrackedScriptPlan } from '../../plan/vrrp.ts';
import type { CommandResult } from '../ports/scripts.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import { ScriptTracker } from './script-tracker.ts';

const basic: TrackedScriptPlan = {
  name: 'check',
  command: { argv: ['/bin/check'], user: 'root', group: undefined },
  intervalMs: 1000,
  timeoutMs: 400,
  weight: 0,
  reverse: false,
  rise: 1,
  fall: 1,
  initFail: false,
};

class VirtualClock implements Clock {
  #now = 0;
  readonly #alarms = new Set<{ at: number; ring: () => void }>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  alarm(ring: () => void): Alarm {
    const alarm = { at: Infinity, ring };
    this.#alarms.add(alarm);
    return {
      set: (at) => {
        alarm.at = at;
      },
      clear: () => {
        alarm.at = Infinity;
      },
    };
  }

  /** Lets time pass, ringing in order. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#alarms].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      next.at = Infinity;
      next.ring();
    }
    this.#now = end;
  }
}

function tracked(change: Partial<TrackedScriptPlan>) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const signals: string[] = [];
  const runs: ((result: CommandResult) => void)[] = [];
  let changes = 0;
  const unused = () => {
    throw new Error('not used here');
  };
  const tracker = new ScriptTracker(
    { ...basic, ...change },
    {
      clock,
      journal: { log: (_severity, message) => log.push(message), detail: () => {} },
      scripts: {
        run: (_command, ended) => {
          runs.push(ended);
          return { signal: (name) => signals.push(name) };
        },
        inspect: unused,
        writeFile: unused,
        watchFile: unused,
        openFifo: unused,
        watchProcesses: unused,
      },
    },
    () => changes++,
  );
  return {
    clock,
    log,
    signals,
    runs,
    tracker,
    changes: () => changes,
    /** The next run ends with this status. */
    run(status: number) {
      clock.pass(runs.length === 0 ? 0 : 1000);
      runs.at(-1)?.({ kind: 'exited', status });
    },
  };
}

test('unknown until the first result, which counts at once either way', () => {
  for (const [status, result] of [
    [0, 'well'],
    [1, 'failed'],
  ] as const) {
    const script = tracked({ rise: 3, fall: 3 });
    assert.equal(script.tracker.result, 'unknown');
    script.run(status);
    assert.equal(script.tracker.result, result);
    assert.equal(script.changes(), 1);
  }
});

test('init_fail: failed until `rise` successes', () => {
  const script = tracked({ rise: 2, initFail: true });
  assert.equal(script.tracker.result, 'failed');
  script.run(0);
  assert.equal(script.tracker.result, 'failed');
  script.run(0);
  assert.equal(script.tracker.result, 'well');
});

test('fall and rise count in a row, and one opposite result starts them anew', () => {
  const script = tracked({ rise: 2, fall: 3 });
  const results = [0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0].map((status) => {
    script.run(status);
    return script.tracker.result[0];
  });
  assert.equal(results.join(''), 'wwwwwwffffw');
  assert.deepEqual(script.log, [
    'VRRP_Script(check) succeeded',
    'Script `check` now returning 1',
    'Script `check` now returning 0',
    'Script `check` now returning 1',
    'VRRP_Script(check) failed (exited with status 1)',
    'Script `check` now returning 0',
    'Script `check` now returning 1',
    'Script `check` now returning 0',
    'VRRP_Script(check) succeeded',
  ]);
});

test('never two at once; a script that takes too long is asked to end, then killed, and has failed', () => {
  const script = tracked({ intervalMs: 300, timeoutMs: 400 });
  script.clock.pass(350);
  assert.equal(script.runs.length, 1);
  script.clock.pass(100);
  assert.deepEqual(script.signals, ['SIGTERM']);
  script.clock.pass(2_000);
  assert.deepEqual(script.signals, ['SIGTERM', 'SIGKILL']);
  assert.equal(script.runs.length, 1);
  script.runs[0]?.({ kind: 'killed', signal: 'SIGKILL' });
  assert.equal(script.tracker.result, 'failed');
  assert.deepEqual(script.log, ['VRRP_Script(check) timed_out']);
  script.clock.pass(300);
  assert.equal(script.runs.length, 2);
});

test('the interval does not drift, and a stall is not made up for', () => {
  const script = tracked({ intervalMs: 1000 });
  script.run(0);
  for (let second = 1; second <= 5; second++) {
    script.clock.pass(1000);
    assert.equal(script.runs.length, second + 1);
    script.runs.at(-1)?.({ kind: 'exited', status: 0 });
  }
});

test('what ends after it was closed changes nothing', () => {
  const script = tracked({});
  script.clock.pass(0);
  script.tracker.close();
  assert.deepEqual(script.signals, ['SIGKILL']);
  script.runs[0]?.({ kind: 'exited', status: 0 });
  assert.equal(script.tracker.result, 'unknown');
  assert.equal(script.changes(), 0);
});
