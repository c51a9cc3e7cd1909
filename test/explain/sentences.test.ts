/** Sentences of the page that are no findings: nothing is wrong with these files, and yet one should know. Each is true in virtual time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { PlanCluster } from '../../sim/vrrp/plan-cluster.ts';
import { renderRouters } from '../../src/commands/explain/page.ts';
import { pageColumns, painter } from '../../src/commands/explain/text.ts';
import { explained, findingNames, nodesOf, running, type Texts } from './files.ts';

const read = (name: string) =>
  readFileSync(new URL(`../golden/explain/multicast/${name}.conf`, import.meta.url), 'utf8');
const sound: Texts = { lb1: read('lb1'), lb2: read('lb2') };

/** The same change in both files. */
function both(from: string | RegExp, to: string, texts = sound): Texts {
  return Object.fromEntries(
    Object.entries(texts).map(([node, text]) => {
      assert.notEqual(text.replace(from, to), text, `${node} has no ${from}`);
      return [node, text.replace(from, to)];
    }),
  );
}

/** The page, with its lines joined. */
function page(texts: Texts): string {
  const text = renderRouters(explained(texts), painter(false));
  for (const line of text.split('\n')) assert.ok([...line].length <= pageColumns, line);
  return text.replace(/\s+/g, ' ');
}

// ------------------------------------------------------------ a check against the timers

const later = /What only script answers sees moves the address later than advert_int lets one believe/;

/** From the trouble until lb2 is active, in milliseconds. */
function moveMs(texts: Texts, trouble: (cluster: PlanCluster) => void): number {
  const cluster = running(nodesOf(texts), 'keepalived');
  cluster.run(30_000);
  trouble(cluster);
  cluster.run(60_000);
  assert.deepEqual(cluster.active('web'), ['lb2']);
  return cluster.changes.find(({ at, active }) => at >= 30_000 && active.includes('lb2'))!.at - 30_000;
}

const kill = (cluster: PlanCluster) => cluster.setBalancer('lb1', 'dead');
const lose = (cluster: PlanCluster) => cluster.lose('lb1');
const fast = both(/authentication \{[^}]*\}/, '', both('advert_int 1', 'advert_int 0.1\n    version 3'));

for (const [name, texts, told] of [
  [
    'many failures in a row',
    both('fall 2', 'fall 5'),
    'it notices after 4000 to 5000 ms (5 x interval 1000 ms), a silent node is replaced after 3609 ms',
  ],
  [
    'short advert_int',
    fast,
    'it notices after 1000 to 2000 ms (2 x interval 1000 ms), a silent node is replaced after 361 ms',
  ],
] as const)
  test(`a check that is mostly slower than the timers is told: ${name}`, () => {
    assert.match(page(texts), later);
    assert.ok(page(texts).includes(told), page(texts));
    assert.deepEqual(findingNames(texts), [], 'and no finding');
    assert.ok(moveMs(texts, kill) > moveMs(texts, lose));
  });

test('a check that is faster than the timers is not told', () => {
  assert.ok(moveMs(sound, kill) < moveMs(sound, lose));
  assert.doesNotMatch(page(sound), later);
  assert.doesNotMatch(page(both('fall 2', 'fall 3')), later);
});

// ------------------------------------------------------------ reverse

/** What lb1 runs with while the script succeeds, and while it fails. */
function priorities(texts: Texts): readonly (number | string)[] {
  return (['serves', 'dead'] as const).map((balancer) => {
    const cluster = running(nodesOf({ lb1: texts['lb1']! }), 'keepalived');
    cluster.setBalancer('lb1', balancer);
    cluster.run(30_000);
    const { state, priority } = cluster.host('lb1').failover!.drivers[0]!.machine.status();
    return state === 'fault' ? 'fault' : priority;
  });
}

for (const [weight, sentence, running110] of [
  [
    '-7 reverse',
    'script answers is tracked with reverse: 7 is added while it fails, nothing while it succeeds.',
    [110, 117],
  ],
  [
    '7 reverse',
    'script answers is tracked with reverse: 7 is subtracted while it succeeds, nothing while it fails.',
    [103, 110],
  ],
  [
    '0 reverse',
    'script answers is tracked with reverse: the node is in FAULT while it succeeds, and takes part while it fails.',
    ['fault', 110],
  ],
] as const)
  test(`weight ${weight} is told in a sentence`, () => {
    const texts = both('fall 2', `fall 2\n    weight ${weight}`);
    assert.ok(page(texts).includes(sentence), page(texts));
    assert.deepEqual(priorities(texts), running110);
  });

test('without reverse there is no such sentence', () => {
  assert.doesNotMatch(page(sound), /reverse/);
  assert.doesNotMatch(page(both('fall 2', 'fall 2\n    weight -7')), /reverse/);
});
