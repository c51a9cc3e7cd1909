/** What the machine does that stands in no RFC: Keepalived's FAULT and tracking, and what is ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VrrpEvent } from './events.ts';
import { activeRouter, becomes, higherAddress, letGo, lowerAddress, own, router } from './test-router.ts';
import { settingsWith, virtualAddress } from './test-settings.ts';

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

test('who resigned is said, and what follows', () => {
  const said = (it: ReturnType<typeof router>, source: string) =>
    it
      .actions({ kind: 'advertisement', heard: { source, priority: 0, advertisementIntervalMs: 1000 } })
      .flatMap((action) => (action.kind === 'log' ? action.message : []))[0];
  const standby = router();
  standby.start();
  standby.hear(101);
  const resigned = `(haproxy) Backup received priority 0 advertisement: ${higherAddress} resigned`;
  assert.equal(said(standby, higherAddress), `${resigned}, taking over now unless another router speaks first`);
  const patient = router({ resignIsImmediate: false });
  patient.start();
  patient.hear(101);
  assert.equal(
    said(patient, higherAddress),
    `${resigned}, taking over in 610ms unless another router speaks first`,
    'its skew: 156/256 s',
  );
  assert.equal(
    said(activeRouter(), lowerAddress),
    `(haproxy) Master received priority 0 message: ${lowerAddress} was active too, staying MASTER`,
  );
});

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
  const later = (ms: number) => {
    const until = it.now + ms;
    while (it.now < until) it.ring();
    return it.actions(conflict).map(({ kind }) => kind);
  };
  assert.deepEqual(later(10_000), ['announce']);
  assert.deepEqual(later(50_000), ['announce', 'log'], 'said once a minute');
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
