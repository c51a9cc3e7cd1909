import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnnouncementSchedule } from './announcement-schedule.ts';
import { virtualAddress } from './test-settings.ts';

const [one, two, six] = [virtualAddress('10.0.0.1'), virtualAddress('10.0.0.2'), virtualAddress('fe80::1')];

/** Everything that leaves until then, as "time device address". */
function run(schedule: AnnouncementSchedule, from: number, until: number): string[] {
  const sent: string[] = [];
  for (let now = from; now <= until; ) {
    const due = schedule.poll(now);
    if (due !== undefined) sent.push(`${now} ${due.device} ${due.address.address}`);
    else if ((schedule.deadline() ?? Infinity) > until) break;
    else now = schedule.deadline()!;
  }
  return sent;
}

test('without an interval a burst leaves at once, round by round', () => {
  const schedule = new AnnouncementSchedule();
  schedule.add('vr', 'eth0', [one, two], 2, { intervalMs: 0, naIntervalMs: 0 });
  assert.deepEqual(run(schedule, 5, 5), ['5 eth0 10.0.0.1', '5 eth0 10.0.0.2', '5 eth0 10.0.0.1', '5 eth0 10.0.0.2']);
  assert.equal(schedule.deadline(), undefined);
});

test('vrrp_garp_interval counts on each interface across routers; NA have their own', () => {
  const schedule = new AnnouncementSchedule();
  const spacing = { intervalMs: 100, naIntervalMs: 10 };
  schedule.add('a', 'eth0', [one], 2, spacing);
  schedule.add('b', 'eth0', [two], 1, spacing);
  schedule.add('c', 'eth1', [two], 1, spacing);
  schedule.add('d', 'eth0', [six], 2, spacing);
  assert.deepEqual(run(schedule, 0, 1000), [
    '0 eth0 10.0.0.1',
    '0 eth1 10.0.0.2',
    '0 eth0 fe80::1',
    '10 eth0 fe80::1',
    '100 eth0 10.0.0.1',
    '200 eth0 10.0.0.2',
  ]);
});

test('a router that let go announces nothing more', () => {
  const schedule = new AnnouncementSchedule();
  schedule.add('a', 'eth0', [one], 3, { intervalMs: 100, naIntervalMs: 0 });
  schedule.add('b', 'eth0', [two], 1, { intervalMs: 100, naIntervalMs: 0 });
  assert.equal(schedule.poll(0)?.owner, 'a');
  schedule.cancel('a');
  assert.deepEqual(run(schedule, 0, 1000), ['100 eth0 10.0.0.2']);
});

test('what waits goes with a router that has another name now, also when two change theirs', () => {
  const schedule = new AnnouncementSchedule();
  for (const [owner, address] of [
    ['a', one],
    ['b', two],
  ] as const)
    schedule.add(owner, 'eth0', [address], 1, { intervalMs: 100, naIntervalMs: 0 });
  schedule.rename(
    new Map([
      ['a', 'b'],
      ['b', 'a'],
    ]),
  );
  schedule.cancel('a');
  assert.deepEqual(run(schedule, 0, 1000), ['0 eth0 10.0.0.1']);
});

test('what waits is limited: a burst that comes on top of too many is dropped', () => {
  const schedule = new AnnouncementSchedule();
  for (let times = 0; times < 10_000; times++)
    schedule.add('a', 'eth0', [one], 5, { intervalMs: 1000, naIntervalMs: 0 });
  schedule.cancel('b');
  let count = 0;
  for (let now = 0; schedule.deadline() !== undefined; now += 1000) if (schedule.poll(now) !== undefined) count++;
  assert.ok(count >= 1000 && count < 5000, `${count}`);
});
