/** Every transition of the machine, by section of RFC 9568 (RFC 3768 where version 2 differs) and by line of the traps that are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeRouter, becomes, higherAddress, letGo, lowerAddress, own, router, short } from './test-router.ts';
import { settingsWith } from './test-settings.ts';

// ------------------------------------------------------------ §6.4.1 Initialize

test('§6.4.1: a router that is no owner starts as backup, for three intervals and its skew; leftovers are cleared', () => {
  const it = router();
  assert.deepEqual(it.start(), ['rem 1 all', 'initialize>backup']);
  assert.equal(it.machine.deadline(), 3000 + (156 * 1000) / 256);
});

test('§6.4.1: the owner is active at once, and nobody else, whatever `state MASTER` says (facts 17)', () => {
  const owner = router({ basePriority: 255 });
  assert.deepEqual(owner.start().slice(1), ['advert 255', 'add 1 all', 'announce 1x5', 'initialize>active']);
  const master = router({ initialState: 'active' });
  master.start();
  assert.equal(master.state, 'backup');
});

test('facts 1: the skew of version 2 is in seconds, that of version 3 in the active router’s intervals', () => {
  const two = router({ basePriority: 200, advertisementIntervalMs: 3000 });
  two.start();
  assert.equal(two.machine.deadline(), 9000 + (56 * 1000) / 256);
  const three = router({ version: 3, basePriority: 200, advertisementIntervalMs: 100 });
  three.start();
  assert.equal(three.machine.deadline(), 300 + (56 * 100) / 256);
});

test('down_timer_adverts counts instead of three', () => {
  const it = router({ downTimerAdverts: 5 });
  it.start();
  assert.equal(it.machine.deadline(), 5000 + (156 * 1000) / 256);
});

test('advertisements and timers before the start and after the end do nothing (facts 34)', () => {
  const it = router();
  assert.deepEqual(it.hear(200), []);
  assert.deepEqual(it.give({ kind: 'timer' }), []);
  it.start();
  assert.deepEqual(it.give({ kind: 'shutdown' }), ['backup>initialize']);
  assert.deepEqual(it.hear(0), []);
  assert.equal(it.machine.deadline(), undefined);
});

test('facts 22: what has no result yet holds the router in initialize; so does a balancer that has not spoken', () => {
  const it = router();
  it.give({ kind: 'tracking', tracking: { priority: 100, faults: [], pending: ['script chk'] } });
  it.give({ kind: 'serving', serving: 'unknown' });
  assert.deepEqual(it.start(), ['rem 1 all']);
  assert.equal(it.machine.status().reason, 'waiting for script chk');
  assert.deepEqual(it.give({ kind: 'tracking', tracking: { priority: 100, faults: [], pending: [] } }), []);
  assert.deepEqual(it.give({ kind: 'serving', serving: true }), ['initialize>backup']);
});

// ------------------------------------------------------------ §6.4.2 Backup

test('§6.4.2: when Active_Down_Timer fires: advertise, add the addresses, announce; then every interval (facts 26)', () => {
  const it = router();
  it.start();
  assert.deepEqual(it.ring(), becomes);
  const since = it.now;
  assert.equal(it.machine.deadline(), since + 1000);
  assert.deepEqual(it.ring(), ['advert 100']);
  assert.equal(it.machine.deadline(), since + 2000);
});

test('Adver_Timer that rang a little late does not drift; after a stall there is no burst', () => {
  const it = activeRouter();
  const first = it.machine.deadline()!;
  it.at(first + 30);
  assert.deepEqual(it.give({ kind: 'timer' }), ['advert 100']);
  assert.equal(it.machine.deadline(), first + 1000);
  it.at(first + 1000 + 1900);
  assert.deepEqual(it.give({ kind: 'timer' }), ['advert 100']);
  assert.equal(it.machine.deadline(), it.now + 1000);
});

test('§6.4.2: an equal or higher priority resets the timer; a lower one is discarded and does not (facts 12)', () => {
  const it = router();
  it.start();
  const skew = (156 * 1000) / 256;
  it.at(1000);
  for (const priority of [100, 101, 255]) it.hear(priority);
  assert.equal(it.machine.deadline(), 4000 + skew);
  it.at(2000);
  assert.deepEqual(it.hear(99), []);
  assert.equal(it.machine.deadline(), 4000 + skew);
});

test('§6.4.2: with Preempt_Mode false every priority resets the timer', () => {
  const it = router({ preempt: false });
  it.start();
  it.at(1000);
  it.hear(1);
  assert.equal(it.machine.deadline(), 4000 + (156 * 1000) / 256);
});

test('§6.4.2: version 3 learns Active_Adver_Interval, and uses its own again when active (facts 2)', () => {
  const it = router({ version: 3, advertisementIntervalMs: 100 });
  it.start();
  it.hear(101, higherAddress, 2000);
  assert.equal(it.machine.deadline(), 6000 + (156 * 2000) / 256);
  assert.equal(it.machine.status().activeAdvertisementIntervalMs, 2000);
  it.ring();
  assert.equal(it.machine.deadline(), it.now + 100);
  const two = router({ advertisementIntervalMs: 1000 });
  two.start();
  two.hear(101, higherAddress, 9000);
  assert.equal(two.machine.deadline(), 3000 + (156 * 1000) / 256);
});

test('§6.4.2: priority 0 sets the timer to the skew (facts 13); later than it was it never gets', () => {
  const it = router({ resignIsImmediate: false });
  it.start();
  it.hear(101);
  it.at(500);
  assert.deepEqual(it.hear(0), []);
  assert.equal(it.machine.deadline(), 500 + (156 * 1000) / 256);
  it.at(900);
  it.hear(0);
  assert.equal(it.machine.deadline(), 500 + (156 * 1000) / 256);
});

test('resigning is immediate when the one we follow resigns, and only then', () => {
  const it = router();
  it.start();
  it.hear(101);
  assert.deepEqual(it.hear(0, lowerAddress), []);
  assert.equal(it.machine.deadline(), (156 * 1000) / 256);
  // Due at once, but what has arrived behind it is heard first.
  assert.deepEqual(it.hear(0), []);
  assert.equal(it.machine.deadline(), 0);
  assert.deepEqual(it.give({ kind: 'timer' }), becomes);
});

test('a resignation that waited in the socket is old news when the successor was heard behind it', () => {
  const it = router();
  it.start();
  it.hear(101);
  it.at(2000);
  assert.deepEqual(it.hear(0), []);
  assert.deepEqual(it.hear(100, '10.42.0.9'), []);
  assert.deepEqual(it.give({ kind: 'timer' }), []);
  assert.equal(it.machine.stateKind, 'backup');
});

test('facts 18: preempt_delay runs from the first lower advertisement, accepts lower ones until it is over', () => {
  const it = router({ preemptDelayMs: 5000 });
  it.start();
  const skew = (156 * 1000) / 256;
  for (const time of [1000, 3000, 5999]) {
    it.at(time);
    it.hear(99);
    assert.equal(it.machine.deadline(), time + 3000 + skew);
  }
  it.at(6000);
  it.hear(99);
  assert.equal(it.machine.deadline(), 5999 + 3000 + skew);
});

test('facts 18: a higher advertisement stops preempt_delay, and without anybody heard it does not count', () => {
  const it = router({ preemptDelayMs: 2000 });
  it.start();
  it.hear(99);
  it.at(1500);
  it.hear(101);
  it.at(2500);
  it.hear(99);
  assert.equal(it.machine.deadline(), 2500 + 3000 + (156 * 1000) / 256);
  const alone = router({ preemptDelayMs: 60_000 });
  alone.start();
  assert.deepEqual(alone.ring(), becomes);
});

// ------------------------------------------------------------ §6.4.3 Active

test('§6.4.3: priority 0 is answered with an advertisement at once, and Adver_Timer starts anew (facts 13); we announce', () => {
  const it = activeRouter();
  it.at(it.now + 400);
  assert.deepEqual(it.hear(0), ['advert 100', 'announce 1x5']);
  assert.equal(it.machine.deadline(), it.now + 1000);
});

test('§6.4.3: a lower priority is answered at once and the addresses are announced again (facts 14)', () => {
  const it = activeRouter();
  it.at(it.now + 400);
  const heardAt = it.now;
  assert.deepEqual(it.hear(99), ['advert 100', 'announce 1x5', 'lower-priority-heard']);
  const asked: string[] = [];
  while (it.now < heardAt + 5000) asked.push(...it.ring());
  assert.equal(asked.filter((action) => action === 'announce 1x5').length, 1);
});

test('facts 14: lower_prio_no_advert and garp_lower_prio_repeat 0 keep silent', () => {
  const { garp } = settingsWith();
  const it = activeRouter({ lowerPrioNoAdvert: true, garp: { ...garp, lowerPrioRepeat: 0 } });
  assert.deepEqual(it.hear(99), []);
  assert.equal(it.state, 'active');
});

test('§6.4.3: a higher priority, or an equal one from a higher address, makes it backup, even with nopreempt (facts 15)', () => {
  for (const preempt of [true, false]) {
    const it = activeRouter({ preempt, splitIsAnnounced: false });
    assert.deepEqual(it.hear(101), [...letGo, 'active>backup']);
    assert.equal(it.machine.deadline(), it.now + 3000 + (156 * 1000) / 256);
  }
  const equal = activeRouter({ splitIsAnnounced: false });
  assert.deepEqual(equal.hear(100, lowerAddress), ['advert 100', 'announce 1x5', 'lower-priority-heard']);
  assert.deepEqual(equal.hear(100, higherAddress), [...letGo, 'active>backup']);
});

test('§6.4.3: addresses are compared as numbers, not as text', () => {
  const it = activeRouter();
  it.hear(100, '10.42.0.100');
  assert.equal(it.state, 'backup');
});

test('facts 16: equal priority from our own address is said and ignored', () => {
  const it = activeRouter();
  const actions = it.actions({
    kind: 'advertisement',
    heard: { source: own, priority: 100, advertisementIntervalMs: 1000 },
  });
  assert.deepEqual(short(actions), []);
  assert.match(actions[0]?.kind === 'log' ? actions[0].message : '', /WARNING - equal priority advert/);
  assert.equal(it.state, 'active');
});

test('a healed split: the loser lets go, then speaks once more, so that the winner announces at once', () => {
  const it = activeRouter();
  assert.deepEqual(it.hear(101), [...letGo, 'advert 100', 'active>backup']);
  const keepalived = activeRouter({ splitIsAnnounced: false, higherPrioSendAdvert: true });
  assert.deepEqual(keepalived.hear(101), ['advert 100', ...letGo, 'active>backup']);
});

test('version 3: stepping down learns the winner’s interval', () => {
  const it = activeRouter({ version: 3, advertisementIntervalMs: 100 });
  it.hear(101, higherAddress, 500);
  assert.equal(it.machine.deadline(), it.now + 1500 + (156 * 500) / 256);
});

test('§6.4.3 Shutdown: priority 0, then the addresses go (facts 28)', () => {
  assert.deepEqual(activeRouter().give({ kind: 'shutdown' }), ['advert 0', ...letGo, 'active>initialize']);
});

test('facts 26: the second burst comes after garp_master_delay, the refresh at its interval', () => {
  const { garp } = settingsWith();
  const it = activeRouter({ garp: { ...garp, delayMs: 1500, refreshMs: 2000, refreshRepeat: 2 } });
  const since = it.now;
  const announced: string[] = [];
  while (it.now < since + 6000) {
    for (const action of it.ring()) if (action.startsWith('announce')) announced.push(`${it.now - since} ${action}`);
  }
  assert.deepEqual(announced, ['1500 announce 1x5', '2000 announce 1x2', '4000 announce 1x2', '6000 announce 1x2']);
});
