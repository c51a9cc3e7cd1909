/**
 * Each finding with files that have it: it is found at its word, and the trouble that it tells of happens when these files run in virtual
 * time; the sound files next to them have neither. Findings that need haproxy.cfg: findings-balancer.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { PlanCluster, PlanWorldName } from '../../sim/vrrp/plan-cluster.ts';
import { catalogue, type FindingName } from '../../src/plan/explain/findings/catalogue.ts';
import { explained, findingNames, nodesOf, running, type Texts } from './files.ts';

const golden = new URL('../golden/explain/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, golden), 'utf8');
const sound: Texts = { lb1: read('multicast/lb1.conf'), lb2: read('multicast/lb2.conf') };
const unicast: Texts = { lb1: read('unicast/lb1.conf'), lb2: read('unicast/lb2.conf') };
const synced: Texts = { lb1: read('sync-group/lb1.conf'), lb2: read('sync-group/lb2.conf') };

type Edit = readonly [node: string, from: string | RegExp, to: string];

/** The texts with edits, each of which must change something. */
function edited(texts: Texts, ...edits: readonly Edit[]): Texts {
  const result = { ...texts };
  for (const [node, from, to] of edits) {
    const before = result[node]!;
    result[node] = before.replace(from, to);
    assert.notEqual(result[node], before, `${node} has no ${from}`);
  }
  return result;
}

function both(from: string | RegExp, to: string): readonly Edit[] {
  return [
    ['lb1', from, to],
    ['lb2', from, to],
  ];
}

function started(texts: Texts, world: PlanWorldName, ms = 30_000): PlanCluster {
  const cluster = running(nodesOf(texts), world);
  cluster.run(ms);
  return cluster;
}

function activeAfter(texts: Texts, world: PlanWorldName, trouble: (cluster: PlanCluster) => void, router = 'web') {
  const cluster = started(texts, world);
  trouble(cluster);
  cluster.run(60_000);
  return cluster.active(router);
}

const kill = (cluster: PlanCluster) => cluster.setBalancer('lb1', 'dead');
const freeze = (cluster: PlanCluster) => cluster.setBalancer('lb1', 'frozen');
const nothing = () => {};

const shown = new Set<FindingName>([
  'address-not-bound',
  'bind-to-virtual-address',
  'server-is-virtual-address',
  'other-process-tracked',
  'duplicate-virtual-router-id',
]);

/** @param at `lb2: priority`: file and word of the place. */
function finds(name: FindingName, texts: Texts, at: string, trouble: () => void): void {
  shown.add(name);
  test(name, () => {
    const found = explained(texts).findings.filter(({ finding }) => finding === name);
    const places = found
      .flatMap(({ place, also = [] }) => [place, ...also])
      .map(({ file, line, column }) => {
        const node = file.replace('.conf', '');
        const word = /^\S+/.exec(texts[node]!.split('\n')[line - 1]!.slice(column - 1))?.[0];
        return `${node}: ${word}`;
      });
    assert.ok(places.includes(at), `found at ${places.join('; ') || 'no place'}`);
    trouble();
  });
}

test('sound files: nothing is found, one node is active, and a dead or frozen balancer moves the address', () => {
  for (const texts of [sound, unicast]) {
    assert.deepEqual(findingNames(texts), []);
    for (const world of ['evergate', 'keepalived'] as const) {
      assert.deepEqual(activeAfter(texts, world, nothing), ['lb1']);
      assert.deepEqual(activeAfter(texts, world, kill), ['lb2']);
      assert.deepEqual(activeAfter(texts, world, freeze), ['lb2']);
    }
  }
  assert.deepEqual(findingNames(synced), []);
});

// ------------------------------------------------------------ files that can't hear each other

const bothActive =
  (texts: Texts, worlds: readonly PlanWorldName[] = ['evergate', 'keepalived']) =>
  () => {
    for (const world of worlds) assert.deepEqual(activeAfter(texts, world, nothing), ['lb1', 'lb2'], world);
  };

for (const [name, at, ...edits] of [
  ['virtual-router-id-differs', 'lb2: virtual_router_id', ['lb2', 'virtual_router_id 51', 'virtual_router_id 52']],
  ['version-differs', 'lb2: version', ['lb2', 'advert_int 1', 'advert_int 1\n    version 3']],
  ['interval-differs', 'lb2: advert_int', ['lb2', 'advert_int 1', 'advert_int 2']],
  ['authentication-differs', 'lb2: authentication', ['lb2', 's3cret', 'secret']],
  ['authentication-differs', 'lb2: vrrp_instance', ['lb2', /authentication \{[^}]*\}/, '']],
  ['transport-differs', 'lb2: mcast_dst_ip', ['lb2', 'advert_int 1', 'advert_int 1\n    mcast_dst_ip 224.0.0.118']],
  [
    'transport-differs',
    'lb2: unicast_peer',
    ['lb2', 'advert_int 1', 'advert_int 1\n    unicast_peer {\n 192.0.2.1\n }'],
  ],
] as const) {
  const texts = edited(sound, ...(edits as readonly Edit[]));
  finds(name, texts, at, bothActive(texts));
}

{
  const version3 = edited(
    sound,
    ...both('advert_int 1', 'advert_int 1\n    version 3'),
    ...both(/authentication \{[^}]*\}/, ''),
  );
  const texts = edited(version3, ['lb2', 'version 3', 'version 3\n    v3_checksum_as_v2']);
  finds('checksum-differs', texts, 'lb2: v3_checksum_as_v2', () => {
    bothActive(texts, ['keepalived'])();
    assert.deepEqual(activeAfter(texts, 'evergate', nothing), ['lb1'], 'it takes either');
    assert.deepEqual(explained(texts).routers[0]!.normal.keepalived.active, ['lb1', 'lb2'], 'the page says so too');
  });
  test('v3_checksum_as_v2 on both nodes, or over IPv6, is no difference', () => {
    const same = edited(texts, ['lb1', 'version 3', 'version 3\n    v3_checksum_as_v2']);
    const six = edited(texts, ...both('10.42.0.240/24', 'fe80::240'));
    for (const given of [version3, same, six]) assert.ok(!findingNames(given).includes('checksum-differs'));
  });
}
{
  const texts = edited(unicast, ['lb1', '        10.0.0.2', '        10.0.0.3']);
  finds('peer-not-named', texts, 'lb1: unicast_peer', bothActive(texts));
}
{
  const texts = edited(sound, ['lb2', '10.42.0.240/24', '10.42.0.240/24\n        10.42.0.241/24']);
  finds('addresses-differ', texts, 'lb2: virtual_ipaddress', () => {
    bothActive(texts, ['keepalived'])();
    const cluster = started(texts, 'evergate');
    assert.deepEqual(cluster.active('web'), ['lb1']);
    assert.deepEqual([...cluster.host('lb1').held, ...cluster.host('lb2').held], ['10.42.0.240']);
  });
}
{
  const texts = edited(sound, ['lb2', 'interface eth0', 'interface ens18']);
  finds('interface-differs', texts, 'lb2: interface', bothActive(texts));
}
{
  const texts = edited(sound, ...both('advert_int 1', 'advert_int 2\n    version 3'), [
    'lb2',
    'advert_int 2',
    'advert_int 0.1',
  ]);
  finds('interval-differs-v3', texts, 'lb2: advert_int', () => {
    const timeAfterLosing = (preferred: string, other: string) => {
      const texts2 = preferred === 'lb1' ? texts : edited(texts, ['lb2', 'priority 100', 'priority 120']);
      const cluster = started(texts2, 'keepalived');
      cluster.lose(preferred);
      cluster.run(30_000);
      assert.deepEqual(cluster.active('web'), [other]);
      return cluster.changes.at(-1)!.at - 30_000;
    };
    assert.ok(timeAfterLosing('lb1', 'lb2') > 3 * timeAfterLosing('lb2', 'lb1'));
  });
}
{
  const extra = `vrrp_instance extra {\n  interface eth0\n  virtual_router_id 60\n  garp_master_refresh 60\n  virtual_ipaddress {\n 10.42.0.99\n }\n}\n`;
  const texts = { ...sound, lb1: `${sound['lb1']}${extra}` };
  finds('without-partner', texts, 'lb1: vrrp_instance', () =>
    assert.deepEqual(
      activeAfter(texts, 'evergate', (cluster) => cluster.lose('lb1'), 'extra'),
      [],
    ),
  );
}

// ------------------------------------------------------------ priorities and weights

const stays =
  (texts: Texts, trouble = kill, worlds: readonly PlanWorldName[] = ['keepalived']) =>
  () => {
    for (const world of worlds) assert.deepEqual(activeAfter(texts, world, trouble), ['lb1'], world);
  };

{
  const texts = edited(sound, ...both('fall 2', 'fall 2\n    weight -5'));
  finds('weight-cannot-move', texts, 'lb1: answers', stays(texts));
}
{
  // 110 + 100 is 210, and 110 > 100 + 5 when the check fails: a positive weight on one node only.
  const texts = edited(sound, ['lb1', 'fall 2', 'fall 2\n    weight 100'], ['lb2', 'fall 2', 'fall 2\n    weight 5']);
  finds('weight-cannot-move', texts, 'lb1: answers', stays(texts));
}
{
  const texts = edited(
    sound,
    ...both('fall 2', 'fall 2\n    weight -50'),
    ['lb2', 'advert_int 1', 'nopreempt'],
    ['lb1', 'advert_int 1', 'nopreempt'],
  );
  finds('weight-against-nopreempt', texts, 'lb1: answers', stays(texts));
}
{
  const tracked = '    track_script {\n        answers\n    }\n';
  const texts = edited(
    synced,
    ...both('timeout 2', 'timeout 2\n    weight -60'),
    ...both(tracked, ''),
    ...both('    garp_master_refresh', `${tracked}    garp_master_refresh`),
  );
  finds('weights-dropped', texts, 'lb1: answers', () =>
    assert.deepEqual(activeAfter(texts, 'keepalived', kill, 'inside'), ['lb1']),
  );
}
{
  const texts = edited(sound, ['lb2', 'priority 100', 'priority 110']);
  finds('equal-priorities', texts, 'lb2: priority', () => {
    const first = (early: string, late: string) => {
      const cluster = running(nodesOf(texts), 'keepalived');
      cluster.lose(late);
      cluster.run(20_000);
      cluster.start(late);
      cluster.run(30_000);
      assert.deepEqual(cluster.active('web'), [early]);
    };
    first('lb1', 'lb2');
    first('lb2', 'lb1');
  });
}

/** A restarted owner is active at once, and stays when its weighted check fails. */
const ownerTrouble = (texts: Texts) => () => {
  const cluster = started(texts, 'keepalived');
  cluster.lose('lb1');
  cluster.run(20_000);
  assert.deepEqual(cluster.active('web'), ['lb2']);
  cluster.start('lb1');
  cluster.run(1);
  assert.ok(cluster.active('web').includes('lb1'));
  assert.deepEqual(activeAfter(texts, 'keepalived', kill), ['lb1']);
};
{
  const weighted = edited(sound, ...both('fall 2', 'fall 2\n    weight -50'), ['lb1', 'state BACKUP', 'state MASTER']);
  const without = edited(weighted, ['lb1', '    priority 110\n', '']);
  finds('master-without-priority', without, 'lb1: state', ownerTrouble(without));
  const owner = edited(weighted, ['lb1', 'priority 110', 'priority 255']);
  finds('owner-priority', owner, 'lb1: priority', ownerTrouble(owner));
}
{
  // `inside` comes first in the file and now prefers lb2; `outside` goes on preferring lb1.
  const torn = edited(synced, ['lb1', 'priority 150', 'priority 90']);
  finds('sync-group-torn', torn, 'lb1: vrrp_sync_group', () => {
    /** The longest time without any active node after a partition of 20 s has healed, in milliseconds. */
    const gapMs = (texts: Texts) => {
      const cluster = started(texts, 'keepalived');
      cluster.cut('lb1', 'lb2');
      cluster.run(20_000);
      assert.deepEqual(cluster.active('inside'), ['lb1', 'lb2']);
      const healed = cluster.time.now();
      cluster.mend();
      cluster.run(60_000);
      const changes = cluster.changes.filter(({ router, at }) => router === 'inside' && at > healed);
      const gaps = changes.map(({ active, at }, index) =>
        active.length === 0 ? (changes[index + 1]?.at ?? Infinity) - at : 0,
      );
      return Math.max(0, ...gaps);
    };
    assert.equal(gapMs(synced), 0);
    assert.ok(gapMs(torn) > 2000);
  });
}

// ------------------------------------------------------------ checks

{
  const texts = edited(sound, ...both(/ {4}track_script \{\n {8}answers\n {4}\}\n/, ''));
  finds('nothing-tracked', texts, 'lb1: vrrp_instance', stays(texts));
  finds('script-not-tracked', texts, 'lb2: vrrp_script', stays(texts));
}
for (const command of [
  'killall -0 haproxy',
  '/usr/bin/pidof haproxy',
  'pgrep -x haproxy',
  '/bin/sh -c "killall -0 haproxy"',
  'systemctl is-active --quiet haproxy',
  '/usr/sbin/service haproxy status',
]) {
  const texts = edited(sound, ...both(/"\/usr\/bin\/curl.*"/, `"${command.replaceAll('"', "'")}"`));
  finds('only-existence', texts, 'lb1: script', () => {
    assert.deepEqual(activeAfter(texts, 'keepalived', kill), ['lb2']);
    stays(texts, freeze)();
  });
}
{
  const process = 'vrrp_track_process balancer {\n    process haproxy\n}\n\n';
  const texts = edited(
    sound,
    ...both('vrrp_instance', `${process}vrrp_instance`),
    ...both(/track_script \{\n {8}answers/, 'track_process {\n        balancer'),
  );
  finds('only-existence-process', texts, 'lb1: process', stays(texts, freeze));
}
{
  const texts = edited(sound, ...both('interface eth0', 'interface eth0\n    dont_track_primary'));
  finds('primary-not-tracked', texts, 'lb1: dont_track_primary', () => {
    const bothOn = (given: Texts) => {
      const cluster = started(given, 'keepalived');
      cluster.setLink('lb1', 'eth0', false);
      cluster.run(20_000);
      cluster.setLink('lb1', 'eth0', true);
      return cluster.active('web');
    };
    assert.deepEqual(bothOn(sound), ['lb2']);
    assert.deepEqual(bothOn(texts), ['lb1', 'lb2']);
  });
}

// ------------------------------------------------------------ returning and announcing

/** How long after its start lb1 is active again, in milliseconds; undefined: not within a minute. */
function returnMs(texts: Texts): number | undefined {
  const cluster = started(texts, 'keepalived');
  cluster.lose('lb1');
  cluster.run(30_000);
  assert.deepEqual(cluster.active('web'), ['lb2']);
  cluster.start('lb1');
  cluster.run(60_000);
  return cluster.changes.find(({ at, active }) => at >= 60_000 && active.includes('lb1'))?.at;
}
{
  const nopreempt = edited(sound, ['lb1', 'advert_int 1', 'advert_int 1\n    nopreempt']);
  const texts = edited(nopreempt, ['lb1', 'state BACKUP', 'state MASTER']);
  finds('nopreempt-with-master', texts, 'lb1: nopreempt', () => {
    assert.equal(returnMs(nopreempt), undefined);
    assert.ok(returnMs(texts)! < 64_000);
  });
}
{
  const texts = edited(sound, ['lb2', 'advert_int 1', 'advert_int 1\n    nopreempt']);
  finds('nopreempt-on-lower', texts, 'lb2: nopreempt', () => assert.ok(returnMs(texts)! < 64_000));
}
{
  const delayed = edited(sound, ['lb1', 'advert_int 1', 'advert_int 1\n    preempt_delay 30']);
  const texts = edited(delayed, ['lb1', 'state BACKUP', 'state MASTER']);
  finds('preempt-delay-ignored', texts, 'lb1: preempt_delay', () => {
    assert.ok(returnMs(delayed)! > 90_000);
    assert.ok(returnMs(texts)! < 64_000);
  });
}
{
  const weighted = edited(sound, ...both('fall 2', 'fall 2\n    weight -50'));
  const texts = edited(weighted, ['lb2', 'advert_int 1', 'advert_int 1\n    preempt_delay 30']);
  finds('preempt-delay-slows', texts, 'lb2: preempt_delay', () => {
    const movedMs = (given: Texts) => {
      const cluster = started(given, 'keepalived');
      kill(cluster);
      cluster.run(60_000);
      assert.deepEqual(cluster.active('web'), ['lb2']);
      return cluster.changes.at(-1)!.at - 30_000;
    };
    assert.ok(movedMs(weighted) < 6000);
    assert.ok(movedMs(texts) > 30_000);
  });
  test('a preempt_delay slows nothing on a node that hears nobody and is active anyway', () => {
    const peers = (...addresses: string[]) => `unicast_peer {\n${addresses.join('\n')}\n}`;
    const deaf = edited(
      { ...unicast, lb3: unicast['lb2']! },
      ['lb1', '10.0.0.2', '10.0.0.3'],
      ['lb1', 'preempt_delay 10\n', ''],
      ['lb2', 'advert_int 0.5', 'advert_int 0.5\n    preempt_delay 5'],
      ['lb2', /unicast_peer \{[^}]*\}/, peers('10.0.0.1', '10.0.0.3')],
      ['lb3', /priority \d+/, 'priority 90'],
      ['lb3', 'unicast_src_ip 10.0.0.2', 'unicast_src_ip 10.0.0.3'],
      ['lb3', /unicast_peer \{[^}]*\}/, peers('10.0.0.1', '10.0.0.2')],
    );
    assert.ok(findingNames(deaf).includes('peer-not-named'));
    assert.ok(!findingNames(deaf).includes('preempt-delay-slows'));
  });
}
{
  const weighted = edited(sound, ...both('fall 2', 'fall 2\n    weight -50'));
  const texts = edited(weighted, ...both('timeout 1', 'timeout 8'));
  finds('back-before-checked', texts, 'lb1: answers', () => {
    const flaps = (given: Texts) => {
      const cluster = started(given, 'keepalived');
      cluster.lose('lb1');
      cluster.run(30_000);
      cluster.setScript('lb1', 'answers', 'hangs');
      cluster.start('lb1');
      cluster.run(60_000);
      assert.deepEqual(cluster.active('web'), ['lb2']);
      return cluster.changes.some(({ at, active }) => at >= 60_000 && active.includes('lb1'));
    };
    assert.equal(flaps(weighted), false);
    assert.equal(flaps(texts), true);
  });
}
{
  const texts = edited(sound, ...both('    garp_master_refresh 60\n', ''));
  finds('no-garp-refresh', texts, 'lb1: vrrp_instance', () => {
    /** The network is cut and healed; who gets the packets for the address two minutes later? At any moment of healing. */
    const wrong = (given: Texts) =>
      [0, 100, 250, 400, 550, 700, 850].some((offset) => {
        const cluster = started(given, 'keepalived');
        cluster.cut('lb1', 'lb2');
        cluster.run(20_000 + offset);
        cluster.mend();
        cluster.run(120_000);
        assert.deepEqual(cluster.active('web'), ['lb1']);
        return cluster.announced.get('10.42.0.240') !== 'lb1';
      });
    assert.equal(wrong(sound), false);
    assert.equal(wrong(texts), true);
  });
}

// ------------------------------------------------------------ words that don't mean what they seem to

{
  const texts = edited(sound, ['lb1', 's3cret', 'longpass-one'], ['lb2', 's3cret', 'longpass-two']);
  finds('password-too-long', texts, 'lb1: longpass-one', () =>
    assert.deepEqual(activeAfter(texts, 'keepalived', nothing), ['lb1']),
  );
}
{
  const texts = edited(sound, ...both('advert_int 1', 'advert_int 1\n    version 3'), ['lb2', 's3cret', 'another']);
  finds('authentication-ignored', texts, 'lb1: authentication', () =>
    assert.deepEqual(activeAfter(texts, 'keepalived', nothing), ['lb1']),
  );
}

after(() => {
  assert.deepEqual(
    Object.keys(catalogue).filter((name) => !shown.has(name as FindingName)),
    [],
    'findings without a test',
  );
});
