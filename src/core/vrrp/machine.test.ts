/** Every transition of the machine, by section of RFC 9568 (RFC 3768 where version 2 differs) and by line of the traps that are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VrrpAction, VrrpEvent } from './events.ts';
import { VirtualRouterMachine } from './machine.ts';
import type { VirtualRouterSettings } from './settings.ts';
import { settingsWith, virtualAddress } from './test-settings.ts';

const own = '10.42.0.50';
const higherAddress = '10.42.0.73';
const lowerAddress = '10.42.0.8';

/** A machine with its clock, and what it asked for since the last look. */
function router(changes: Partial<VirtualRouterSettings> = {}) {
  const machine = new VirtualRouterMachine(settingsWith(changes));
  let now = 0;
  const drain = () => {
    const actions: VrrpAction[] = [];
    for (let action = machine.poll(); action !== undefined; action = machine.poll()) actions.push(action);
    return actions;
  };
  const give = (event: VrrpEvent) => {
    machine.handle(event, now);
    return short(drain());
  };
  return {
    machine,
    give,
    /** Drains without shortening. */
    actions: (event: VrrpEvent) => {
      machine.handle(event, now);
      return drain();
    },
    hear: (priority: number, source = higherAddress, advertisementIntervalMs = 1000) =>
      give({ kind: 'advertisement', heard: { source, priority, advertisementIntervalMs } }),
    at: (time: number) => {
      now = time;
    },
    /** Goes to the deadline and rings. */
    ring: () => {
      now = machine.deadline()!;
      return give({ kind: 'timer' });
    },
    start: () => {
      machine.handle({ kind: 'link', up: true, address: own }, now);
      return give({ kind: 'start' });
    },
    get now() {
      return now;
    },
    get state() {
      return machine.status().state;
    },
  };
}

/** Started and, by its own timer, active. */
function activeRouter(changes: Partial<VirtualRouterSettings> = {}) {
  const it = router(changes);
  it.start();
  if (it.state === 'backup') it.ring();
  assert.equal(it.state, 'active');
  return it;
}

/** Actions as short words; log lines are left out. */
function short(actions: readonly VrrpAction[]): string[] {
  return actions.flatMap((action) => {
    switch (action.kind) {
      case 'log':
        return [];
      case 'send-advertisement':
        return [`advert ${action.priority}`];
      case 'add-addresses':
      case 'remove-addresses':
        return [`${action.kind.slice(0, 3)} ${action.addresses.length}${action.all ? ' all' : ''}`];
      case 'announce':
        return [`announce ${action.addresses.length}x${action.repeat}`];
      case 'state-changed':
        return [`${action.from}>${action.to}`];
      default:
        return [action.kind];
    }
  });
}

const letGo = ['cancel-announcements', 'rem 1 all'];
const becomes = ['advert 100', 'add 1 all', 'announce 1x5', 'backup>active'];

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

// ------------------------------------------------------------ FAULT, tracking, serving, handover

test('a fault resigns; when it clears the router listens like a new one (facts 20, 24)', () => {
  const causes: readonly [VrrpEvent, VrrpEvent][] = [
    [
      { kind: 'serving', serving: false },
      { kind: 'serving', serving: true },
    ],
    [
      { kind: 'link', up: false, address: undefined },
      { kind: 'link', up: true, address: own },
    ],
    [
      { kind: 'link', up: true, address: undefined },
      { kind: 'link', up: true, address: own },
    ],
    [{ kind: 'handover' }, { kind: 'resume' }],
    [
      { kind: 'tracking', tracking: { priority: 100, faults: ['script chk failed'], pending: [] } },
      { kind: 'tracking', tracking: { priority: 100, faults: [], pending: [] } },
    ],
    [
      { kind: 'group-fault', reason: 'a of sync group g: x' },
      { kind: 'group-fault', reason: undefined },
    ],
  ];
  for (const [broken, mended] of causes) {
    const it = activeRouter();
    assert.deepEqual(it.give(broken), ['advert 0', ...letGo, 'active>fault']);
    assert.deepEqual([it.machine.deadline(), it.machine.status().faults.length], [undefined, 1]);
    assert.deepEqual(it.hear(0), []);
    assert.deepEqual(it.give(mended), ['fault>backup']);
    assert.equal(it.machine.deadline(), it.now + 3000 + (156 * 1000) / 256);
  }
});

test('two faults: both must clear', () => {
  const it = activeRouter();
  it.give({ kind: 'serving', serving: false });
  it.give({ kind: 'handover' });
  assert.deepEqual(it.give({ kind: 'serving', serving: true }), []);
  assert.deepEqual(it.machine.status().faults, ['handed over by the operator']);
  assert.deepEqual(it.give({ kind: 'resume' }), ['fault>backup']);
});

test('facts 24: dont_track_primary: a link that is down is no fault', () => {
  const it = activeRouter({ trackPrimaryInterface: false });
  assert.deepEqual(it.give({ kind: 'link', up: false, address: undefined }), []);
  assert.equal(it.state, 'active');
});

test('facts 27: leaving FAULT with unicast announces the own address', () => {
  const it = activeRouter({
    transport: { kind: 'unicast', source: own, peers: [], checkSource: false, ttl: undefined },
  });
  it.give({ kind: 'serving', serving: false });
  assert.deepEqual(it.give({ kind: 'serving', serving: true }), ['announce-own-address', 'fault>backup']);
});

test('a changed priority is logged in Keepalived’s words and used from now on', () => {
  const it = activeRouter();
  const [said] = it.actions({ kind: 'tracking', tracking: { priority: 102, faults: [], pending: [] } });
  assert.equal(said?.kind === 'log' && said.message, '(haproxy) Changing effective priority from 100 to 102');
  assert.deepEqual(it.hear(101), ['advert 102', 'announce 1x5', 'lower-priority-heard']);
});

// ------------------------------------------------------------ what RFC and Keepalived do not say

test('facts 31: an active router that wakes up late lets go and listens before it speaks, whatever wakes it', () => {
  for (const waking of ['timer', 'advertisement'] as const) {
    const it = activeRouter();
    it.at(it.machine.deadline()! + 2000);
    const asked = waking === 'timer' ? it.give({ kind: 'timer' }) : it.hear(99);
    assert.deepEqual(asked, [...letGo, 'active>backup']);
    assert.equal(it.machine.deadline(), it.now + 1000 + (156 * 1000) / 256);
    assert.deepEqual(it.ring(), becomes);
  }
  const merely = activeRouter();
  merely.at(merely.machine.deadline()! + 1900);
  assert.deepEqual(merely.give({ kind: 'timer' }), ['advert 100']);
});

test('what a late riser says to the one it follows must lose: its own priority, or 1 where that would win', () => {
  for (const [priority, source, word] of [
    [101, lowerAddress, ['advert 100']],
    [100, higherAddress, ['advert 100']],
    [100, lowerAddress, ['advert 1']],
    [1, higherAddress, []],
  ] as const) {
    const it = activeRouter({ preempt: false });
    it.at(it.machine.deadline()! + 5000);
    it.give({ kind: 'timer' });
    assert.deepEqual(it.hear(priority, source), [], 'it may be an old one');
    it.at(it.now + 2000);
    assert.deepEqual(it.hear(priority, source), word);
    assert.deepEqual(it.hear(priority, source), [], 'once');
  }
});

test('at 10 ms a short stall is no reason to let go; a long one is', () => {
  const it = activeRouter({ version: 3, advertisementIntervalMs: 10 });
  it.at(it.machine.deadline()! + 90);
  assert.deepEqual(it.give({ kind: 'timer' }), ['advert 100']);
  assert.equal(it.state, 'active');
  it.at(it.machine.deadline()! + 110);
  it.give({ kind: 'timer' });
  assert.equal(it.state, 'backup');
});

test('a backup that slept through its deadline by an interval listens once more; one that is a little late does not', () => {
  const it = router();
  it.start();
  it.at(it.machine.deadline()! + 1000);
  assert.deepEqual(it.give({ kind: 'timer' }), []);
  assert.equal(it.machine.deadline(), it.now + 1000 + (156 * 1000) / 256);
  assert.deepEqual(it.ring(), becomes);
  const little = router();
  little.start();
  little.at(little.machine.deadline()! + 900);
  assert.deepEqual(little.give({ kind: 'timer' }), becomes);
});

test('BFD: only losing the router we follow counts, and only in backup', () => {
  const it = router({ preempt: false });
  it.start();
  it.hear(101);
  assert.deepEqual(it.give({ kind: 'peer-lost', source: lowerAddress }), []);
  assert.deepEqual(it.give({ kind: 'peer-lost', source: higherAddress }), becomes);
  assert.deepEqual(it.give({ kind: 'peer-lost', source: higherAddress }), []);
});

test('an address taken away is put back; a conflict is answered once in ten seconds', () => {
  const it = activeRouter();
  assert.deepEqual(it.give({ kind: 'address-lost', address: '10.42.0.240' }), ['add 1', 'announce 1x5']);
  assert.deepEqual(it.give({ kind: 'address-lost', address: '10.42.0.9' }), []);
  const conflict = { kind: 'address-conflict', address: '10.42.0.240', hardwareAddress: '02:00:00:00:00:09' } as const;
  assert.deepEqual(it.give(conflict), ['announce 1x1']);
  assert.deepEqual(it.give(conflict), []);
  const until = it.now + 10_000;
  while (it.now < until) it.ring();
  assert.deepEqual(it.give(conflict), ['announce 1x1']);
  it.hear(200);
  assert.deepEqual(it.give({ kind: 'address-lost', address: '10.42.0.240' }), []);
});

test('facts 32: a reload keeps the state; only what changed is touched, what goes before what comes', () => {
  const kept = virtualAddress('10.42.0.240');
  const it = activeRouter({ addresses: [kept, virtualAddress('10.42.0.241')] });
  const settings = settingsWith({ addresses: [kept, virtualAddress('10.42.0.242')], advertisementIntervalMs: 300 });
  assert.deepEqual(it.give({ kind: 'settings', settings }), ['rem 1', 'add 1', 'announce 1x5']);
  assert.equal(it.state, 'active');
  assert.equal(it.machine.deadline(), it.now + 300);
  assert.deepEqual(it.give({ kind: 'settings', settings }), []);
  const backup = router();
  backup.start();
  assert.deepEqual(backup.give({ kind: 'settings', settings }), []);
});

test('a timer that rings early or twice does nothing', () => {
  const it = activeRouter();
  assert.deepEqual(it.give({ kind: 'timer' }), []);
  const backup = router();
  backup.start();
  assert.deepEqual(backup.give({ kind: 'timer' }), []);
});
