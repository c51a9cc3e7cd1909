/** What a person reads, and what decides the exit status. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyStatistics } from '../../core/vrrp/statistics.ts';
import type { RouterReport, VrrpReport } from '../../engine/failover/control-report.ts';
import type { Stats } from '../../engine/stats.ts';
import type { BalancerReport } from '../balance/control.ts';
import { judge } from './judge.ts';
import { renderStatus } from './render.ts';
import { cut } from './screen.ts';
import { age, bytes, coloured, count, plain, table, times } from './text.ts';

const absent = { kind: 'absent', reason: '@evergate: nobody listens there' } as const;

function router(changes: Partial<RouterReport> = {}): RouterReport {
  return {
    name: 'VI_1',
    interface: 'eth0',
    family: 'ipv4',
    version: 2,
    virtualRouterId: 51,
    advertisementIntervalMs: 1000,
    transport: 'multicast',
    state: 'MASTER',
    stateAgeMs: 243_000,
    reason: 'no advertisement heard',
    faults: [],
    handedOver: false,
    handedOverSinceMs: undefined,
    priority: {
      running: 103,
      base: 101,
      parts: [{ name: 'script chk', weight: 2, reverse: false, result: 'well', change: 2 }],
    },
    neighbours: [],
    addresses: [{ address: '10.42.0.240', prefix: 24, device: 'eth0', excluded: false, present: true, wanted: true }],
    conflicts: [],
    transitions: { toActive: 1, fromActive: 0 },
    statistics: emptyStatistics(),
    deadlineMs: 400,
    ...changes,
  };
}

function vrrp(changes: Partial<RouterReport> = {}, launched = false): VrrpReport {
  const routers = [router(changes)];
  return { half: 'vrrp', pid: 1, version: '1', wallMs: 1e12, launched, routerId: 'LB1', routers, syncGroups: [] };
}

function balancer(changes: Partial<BalancerReport> = {}): BalancerReport {
  const stats: Stats = {
    process: {
      connections: 1,
      connectionsMax: 2,
      connectionsLimit: 2000,
      connectionsTotal: 5,
      stopping: false,
      workers: [{ alive: true, connections: 1, heartbeat: 7 }],
    },
    frontends: [],
    backends: [],
  };
  const base = { half: 'balance', pid: 2, version: '1', wallMs: 1e12, startedWallMs: 1e12 - 5000 } as const;
  return { ...base, launched: false, serving: true, reason: undefined, stats, ...changes };
}

const text = (status: Parameters<typeof renderStatus>[0]) => renderStatus(status, plain).join('\n');

test('a healthy node', () => {
  const status = { vrrp: vrrp(), balancer: balancer() };
  assert.deepEqual(judge(status), { exitStatus: 0, troubles: [], remarks: [] });
  const shown = text(status);
  assert.match(shown, /^✔ all is well\n/);
  assert.match(shown, /VI_1 {2}MASTER for 4 min 3 s \(since .*\): no advertisement heard/);
  assert.match(shown, /priority {2}103 = 101 \+ 2 {2}\(script chk: well, weight \+2\)/);
  assert.match(shown, /Balancer {2}serving/);
});

test('a sum that is no priority: the limit is said', () => {
  const shown = (running: number, base: number) => {
    const { priority } = router();
    return text({ vrrp: vrrp({ priority: { ...priority, running, base } }), balancer: absent });
  };
  assert.match(shown(254, 253), /priority {2}254 = 253 \+ 2, at most 254 {2}\(/);
  const file = { name: 'file f', weight: 1, reverse: false, result: -300, change: -300 };
  const fault = { vrrp: vrrp({ priority: { running: 100, base: 100, parts: [file] } }), balancer: absent };
  assert.match(text(fault), /priority {2}100 {2}\(file f: says -300, weight \+1\)/);
  assert.match(shown(255, 255), /priority {2}255 = 255 \+ 2, at most 255 {2}\(/);
});

const troubles: readonly (readonly [string, Partial<RouterReport>, RegExp])[] = [
  ['a fault', { state: 'FAULT', faults: ['interface eth0 is down'] }, /VI_1 is in FAULT: interface eth0 is down/],
  [
    'handed over',
    { state: 'FAULT', faults: ['handed over by the operator'], handedOver: true },
    /^VI_1 was handed over/,
  ],
  ['not started', { state: 'INIT', reason: 'waiting for the balancer' }, /takes no part yet: waiting for the balancer/],
  [
    'an address that is missing',
    { addresses: [{ ...router().addresses[0], present: false }] },
    /MASTER, but 10\.42\.0\.240 is not on eth0/,
  ],
  [
    'an address that should not be there',
    { state: 'BACKUP', addresses: [{ ...router().addresses[0], wanted: false }] },
    /BACKUP, but 10\.42\.0\.240 is on eth0/,
  ],
  [
    'a conflict',
    {
      conflicts: [{ address: '10.42.0.240', hardwareAddress: '02:00:00:00:00:01', ageMs: 900, count: 1, goesOn: true }],
    },
    /02:00:00:00:00:01 claims 10\.42\.0\.240 too/,
  ],
  [
    'a neighbour that is refused now',
    {
      neighbours: [
        {
          source: '10.42.0.9',
          priority: undefined,
          advertisementIntervalMs: undefined,
          ageMs: undefined,
          addressDifference: undefined,
          watched: false,
          accepted: 0,
          refused: 3,
          lastRefusal: { error: 'ttl', message: 'invalid TTL', ageMs: 500 },
        },
      ],
    },
    /refuses what 10\.42\.0\.9 sends: invalid TTL/,
  ],
  [
    'a neighbour that advertises other addresses',
    { state: 'BACKUP', addresses: [], neighbours: [otherList(900)] },
    /VI_1: 10\.42\.0\.9 advertises 10\.42\.0\.241, which this node has not\. .*write the same virtual_ipaddress block on both/,
  ],
];

function otherList(ageMs: number): RouterReport['neighbours'][number] {
  return {
    source: '10.42.0.9',
    priority: 100,
    advertisementIntervalMs: 1000,
    ageMs,
    addressDifference: 'advertises 10.42.0.241, which this node has not',
    watched: false,
    accepted: 9,
    refused: 0,
    lastRefusal: undefined,
  };
}

for (const [name, changes, expected] of troubles)
  test(`${name} is a trouble, said first`, () => {
    const status = { vrrp: vrrp(changes), balancer: absent };
    const judged = judge(status);
    assert.equal(judged.exitStatus, 1);
    assert.equal(judged.troubles.length, 1);
    assert.match(judged.troubles[0], expected);
    assert.ok(text(status).startsWith(`✗ ${judged.troubles[0]}`));
  });

test('what is over is no trouble any more', () => {
  const conflicts = [
    { address: '10.42.0.240', hardwareAddress: '02:00:00:00:00:01', ageMs: 9000, count: 1, goesOn: false },
  ];
  assert.equal(judge({ vrrp: vrrp({ conflicts }), balancer: absent }).exitStatus, 0);
  assert.match(
    text({ vrrp: vrrp({ conflicts }), balancer: absent }),
    /over: 02:00:00:00:00:01 claimed .* last 9\.0 s ago/,
  );
  const neighbours = [otherList(90_000)];
  assert.equal(judge({ vrrp: vrrp({ neighbours }), balancer: absent }).exitStatus, 0, 'silent since: it may be mended');
  assert.match(text({ vrrp: vrrp({ neighbours }), balancer: absent }), /ago; advertises 10\.42\.0\.241/);
});

test('a half that should be there', () => {
  assert.equal(judge({ vrrp: vrrp(), balancer: absent }).exitStatus, 0, 'the VRRP daemon alone');
  assert.match(judge({ vrrp: vrrp({}, true), balancer: absent }).troubles[0], /balancer of this node does not run/);
  const alone = judge({ vrrp: absent, balancer: balancer({ launched: true }) });
  assert.match(alone.troubles[0], /VRRP daemon of this node does not run/);
  const silent = { kind: 'broken', reason: 'the daemon closed the connection' } as const;
  assert.equal(judge({ vrrp: silent, balancer: balancer() }).exitStatus, 1);
});

test('nobody at all', () => {
  const status = { vrrp: absent, balancer: absent };
  assert.equal(judge(status).exitStatus, 2);
  assert.match(text(status), /^✗ nothing of Evergate runs here/);
});

test('a balancer that does not serve', () => {
  const status = { vrrp: absent, balancer: balancer({ serving: false, reason: 'no worker takes connections' }) };
  assert.equal(judge(status).exitStatus, 1);
  assert.match(text(status), /Balancer {2}not serving: no worker takes connections/);
});

test('a MASTER that hears nobody is told why that is no sign of trouble', () => {
  assert.match(text({ vrrp: vrrp(), balancer: absent }), /nobody yet: standbys are silent/);
});

test('ages, counts and bytes', () => {
  assert.deepEqual(
    [-5, 340, 12_000, 243_000, 12_000_000, 1_051_200_000].map((ms) => age(ms)),
    ['0.0 s', '0.3 s', '12 s', '4 min 3 s', '3 h 20 min', '12 d 4 h'],
  );
  assert.deepEqual([0, 999, 1000, 1234567].map(count), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual([0, 1536, 3 * 2 ** 30, 2 ** 41].map(bytes), ['0 B', '1.5 KiB', '3.0 GiB', '2.0 TiB']);
  assert.deepEqual([0, 1, 2].map(times), ['0 times', '1 time', '2 times']);
});

test('columns line up, painted or not', () => {
  const rows = [
    [{ text: 'name' }, { text: 'n' }],
    [{ text: 'a', style: 'red' as const }, { text: '1,000' }],
  ];
  assert.deepEqual(table(rows, 1, plain), ['name      n', 'a     1,000']);
  assert.match(table(rows, 1, coloured)[1], /^\x1b\[31ma {3}\x1b\[39m {2}1,000$/);
});

test('a line that is too long is cut as seen, colours counted for nothing', () => {
  assert.equal(cut('short', 10), 'short');
  assert.equal(cut(coloured('red', 'short'), 5), coloured('red', 'short'));
  assert.equal(cut('0123456789', 5), '0123\x1b[0m…');
  assert.equal(cut(`${coloured('red', '012')}3456789`, 5), `${coloured('red', '012')}3\x1b[0m…`);
});
