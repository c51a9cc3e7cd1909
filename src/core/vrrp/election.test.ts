import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ElectionNode, elect, takeOver, whyUnheard } from './election.ts';
import { settingsWith } from './test-settings.ts';
import { runningPriority, type Tracked } from './tracking.ts';

type Changes = Omit<Partial<ElectionNode>, 'settings'> & { settings?: Parameters<typeof settingsWith>[0] };

function node(name: string, priority: number, changes: Changes = {}): ElectionNode {
  return {
    name,
    source: `10.42.0.${name.charCodeAt(0)}`,
    tracking: { priority, faults: [], pending: [] },
    present: true,
    serving: true,
    ...changes,
    settings: settingsWith({ basePriority: priority, ...changes.settings }),
  };
}
const gone = { present: false };
const nopreempt = { settings: { preempt: false } };

test('the highest priority, then the highest address', () => {
  assert.deepEqual(elect([node('a', 101), node('b', 100)], undefined), { active: 'a', possible: ['a'] });
  assert.deepEqual(elect([node('a', 100), node('b', 100)], undefined), { active: 'b', possible: ['a', 'b'] });
  assert.deepEqual(elect([node('a', 100), node('b', 100)], 'a'), { active: 'a', possible: ['a'] });
  assert.deepEqual(elect([], undefined), { active: undefined, possible: [] });
});

test('nopreempt belongs on the higher node: there it keeps the lower one active, elsewhere it does nothing (facts 15)', () => {
  assert.equal(elect([node('a', 101, nopreempt), node('b', 100)], 'b').active, 'b');
  assert.equal(elect([node('a', 101), node('b', 100, nopreempt)], 'b').active, 'a');
  const three = [node('a', 103, nopreempt), node('b', 102), node('c', 101)];
  assert.deepEqual(elect(three, 'c'), { active: 'a', possible: ['a', 'b'] });
  assert.equal(elect(three, 'b').active, 'b');
});

test('who is absent, does not serve, or is in fault takes no part; when nobody can, nobody is', () => {
  const fault = { tracking: { priority: 101, faults: ['x'], pending: [] } };
  for (const change of [gone, { serving: false }, fault])
    assert.equal(elect([node('a', 101, change), node('b', 100)], 'a').active, 'b');
  assert.equal(elect([node('a', 101, gone), node('b', 100, { serving: false })], 'a').active, undefined);
});

test('the seed’s pair: weight 2 is added, 103/102, 101 after a failure, and it does fail over', () => {
  const check = (result: Tracked['result']): Tracked => ({
    name: 'script chk_haproxy',
    weight: 2,
    reverse: false,
    result,
  });
  const priority = (basePriority: number, result: Tracked['result']) => runningPriority(basePriority, [check(result)]);
  assert.equal(priority(101, 'well').priority, 103);
  const nodes = [
    node('a', 101, { tracking: priority(101, 'failed') }),
    node('b', 100, { tracking: priority(100, 'well') }),
  ];
  assert.deepEqual(
    nodes.map(({ tracking }) => tracking.priority),
    [101, 102],
  );
  const step = takeOver(nodes, 'a');
  assert.deepEqual([step.kind, step.active, Math.round(step.maxMs)], ['outranked', 'b', 3602]);
});

test('how long: silence, resignation with and without waiting, outranking with preempt_delay', () => {
  const pair = (a: Changes, b: Changes = {}) => [node('a', 101, a), node('b', 100, b)];
  const skew = (156 * 1000) / 256;
  const silent = takeOver(pair(gone), 'a');
  assert.deepEqual([silent.kind, silent.active, silent.minMs, silent.maxMs], ['silent', 'b', 2000 + skew, 3000 + skew]);
  assert.equal(silent.formula, '3 x 1000 ms + skew 609.4 ms');
  assert.deepEqual([takeOver(pair(gone), 'a', true).maxMs, takeOver(pair({ serving: false }), 'a').maxMs], [0, 0]);
  const keepalived = takeOver(pair(gone, { settings: { resignIsImmediate: false } }), 'a', true);
  assert.deepEqual([keepalived.kind, keepalived.maxMs], ['resigned', skew]);
  const delayed = takeOver(pair({ settings: { preemptDelayMs: 10_000 } }), 'b');
  assert.deepEqual([delayed.kind, delayed.active, delayed.minMs], ['outranked', 'a', 10_000]);
  assert.equal(takeOver(pair({}), 'a').kind, 'stays');
  assert.equal(takeOver([node('a', 101, gone)], 'a').kind, 'nobody');
});

test('version 3 follows the interval of the one that was active', () => {
  const nodes = [
    node('a', 200, { present: false, settings: { version: 3, advertisementIntervalMs: 100 } }),
    node('b', 100, { settings: { version: 3, advertisementIntervalMs: 1000 } }),
  ];
  assert.equal(takeOver(nodes, 'a').maxMs, 300 + (156 * 100) / 256);
});

test('files that cannot hear each other, and why', () => {
  const to = node('b', 100);
  const why = (settings: Parameters<typeof settingsWith>[0]) =>
    whyUnheard(node('a', 101, { settings: settings ?? {} }), to);
  assert.equal(why({}), undefined);
  const deaf = node('b', 255, { settings: { ownerIgnoresAdvertisements: true } });
  assert.equal(whyUnheard(node('a', 101), deaf), undefined, 'the owner would win whatever it heard');
  assert.match(whyUnheard(node('a', 255), deaf)!, /owner ignores/);
  assert.match(why({ virtualRouterId: 9 })!, /VRID mismatch/);
  assert.match(why({ version: 3 })!, /wrong version/);
  assert.match(why({ advertisementIntervalMs: 2000 })!, /interval mismatch/);
  assert.match(why({ authentication: { kind: 'pass', password: 'x' } })!, /auth/);
  assert.match(why({ addresses: [] })!, /VIPs/);
  assert.match(why({ family: 'ipv6' })!, /ipv6 against ipv4/);
  assert.match(why({ transport: { kind: 'multicast', group: '224.0.0.19', source: undefined } })!, /multicast group/);
  const unicast = (...peers: string[]) => ({
    transport: {
      kind: 'unicast' as const,
      source: undefined,
      peers: peers.map((address) => ({ address, ttlMin: undefined, ttlMax: undefined })),
      checkSource: true,
      ttl: undefined,
    },
  });
  assert.match(why(unicast())!, /not among its unicast peers/);
  assert.match(why(unicast(to.source))!, /multicast packet but received unicast/);
  const [a, b] = [
    node('a', 101, { settings: unicast('10.42.0.98') }),
    node('b', 100, { settings: unicast('10.42.0.97') }),
  ];
  assert.equal(whyUnheard(a, b), undefined);
  const ah = (password: string) => ({ settings: { authentication: { kind: 'ah' as const, password } } });
  assert.equal(whyUnheard(node('a', 1, ah('12345678x')), node('b', 1, ah('12345678y'))), undefined);
  assert.equal(whyUnheard(node('a', 1, ah('x')), node('b', 1, ah('y'))), 'another password');
});
