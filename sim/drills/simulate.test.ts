/** The drills that come with the program, in virtual time: what they find of each engine, and that the same seed finds the same again. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Drill, parseDrill } from '../../src/lab/drill-file.ts';
import { loadDrills } from '../../src/lab/drill-list.ts';
import { evergate, originals } from '../../src/lab/engine.ts';
import { type LoadedCluster, loadCluster } from '../../src/lab/load-cluster.ts';
import { judge } from '../../src/lab/verdict.ts';
import { simulateDrill, whyNotSimulated } from './simulate.ts';

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const found = loadDrills(undefined);
const all: readonly Drill[] = 'drills' in found ? found.drills : [];
const played = all.filter((drill) => whyNotSimulated(drill) === undefined);
const trials = [1, 2, 3];

/** Keepalived does not notice a frozen balancer, and the standby waits out its skew after a resignation. */
const originalsFailIn = ['balancer-frozen', 'orderly-stop'];

describe('drills in virtual time', () => {
  let cluster: LoadedCluster;
  before(async () => {
    cluster = await loadCluster(
      [example('haproxy.cfg')],
      [
        { name: 'lb1', file: example('keepalived-active.conf') },
        { name: 'lb2', file: example('keepalived-passive.conf') },
      ],
    );
  });

  const verdict = (name: string, engine = evergate, trial = 1) =>
    judge(simulateDrill(cluster, engine, named(name), trial, 7), {});

  test('those that need what the simulator lacks say so', () => {
    const missing = all.filter((drill) => !played.includes(drill)).map(({ name }) => name);
    assert.deepEqual(missing.toSorted(), [
      'all-servers-gone',
      'descriptors-exhausted',
      'log-receiver-gone',
      'overload',
      'server-errors',
      'server-frozen',
      'server-killed',
      'server-returns',
      'server-slow',
    ]);
    assert.match(whyNotSimulated(named('descriptors-exhausted')) ?? '', /no descriptors/);
  });

  for (const { name } of played)
    test(name, () => {
      for (const trial of trials) {
        const ours = verdict(name, evergate, trial);
        assert.deepEqual(ours.reasons, [], `Evergate, trial ${trial}`);
        const theirs = verdict(name, originals, trial);
        assert.equal(theirs.passed, !originalsFailIn.includes(name), `originals, trial ${trial}: ${theirs.reasons}`);
      }
    });

  test('outages are those of the protocol', () => {
    for (const trial of trials) {
      // Three advertisements and the skew, less what had passed since the last advertisement.
      const lost = verdict('both-killed', originals, trial);
      assert.ok(lost.outageMs > 2600 && lost.outageMs < 3610, `${lost.outageMs} ms`);
      assert.ok(Math.abs(lost.failed - lost.outageMs / 5) < 3);
      // The skew alone: 154/256 of a second.
      assert.ok(Math.abs(verdict('orderly-stop', originals, trial).outageMs - 602) < 10);
      // The nodes watch each other: three packets in 75 ms.
      assert.ok(verdict('both-killed', evergate, trial).outageMs < 120);
    }
  });

  test('the same seed gives the same run', () => {
    const run = (seed: number) => JSON.stringify(simulateDrill(cluster, evergate, named('node-frozen'), 1, seed));
    assert.equal(run(11), run(11));
    assert.notEqual(run(11), run(12));
  });

  test('a drill that expects too much does not pass, and says why', () => {
    const text = `title: t
steps:
  - kill: both
  - wait: answers
expect:
  failed: 1
`;
    const parsed = parseDrill('mine.yaml', text);
    assert.ok('drill' in parsed);
    const { passed, reasons } = judge(simulateDrill(cluster, evergate, parsed.drill, 1, 7), {});
    assert.equal(passed, false);
    assert.match(reasons.join(), /failed requests, at most 1 allowed/);
  });
});

function named(name: string): Drill {
  const drill = all.find((each) => each.name === name);
  assert.ok(drill !== undefined, name);
  return drill;
}
