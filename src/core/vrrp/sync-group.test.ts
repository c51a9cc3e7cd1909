import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VrrpEvent } from './events.ts';
import { VirtualRouterMachine } from './machine.ts';
import { SyncGroup } from './sync-group.ts';
import { settingsWith } from './test-settings.ts';

/** Two members, "a" and "b", started at 0; what they ask for since the last look. */
function group(priorities: readonly [number, number] = [100, 100]) {
  const members = priorities.map(
    (basePriority, index) => new VirtualRouterMachine(settingsWith({ name: 'ab'[index]!, basePriority }), true),
  );
  const it = new SyncGroup('g', members);
  const drain = () => {
    const asked: string[] = [];
    for (let next = it.poll(); next !== undefined; next = it.poll()) {
      const { member, action } = next;
      const name = member < 0 ? 'group' : it.members[member]!.settings.name;
      if (action.kind === 'state-changed') asked.push(`${name} ${action.to}`);
      else if (action.kind === 'send-advertisement') asked.push(`${name} advert ${action.priority}`);
      else if (action.kind === 'announce') asked.push(`${name} announce`);
      else if (action.kind === 'remove-addresses') asked.push(`${name} lets go ${action.lingerMs ?? 'at once'}`);
      else if (action.kind === 'log' && member < 0) asked.push(action.message);
    }
    return asked;
  };
  const give = (member: number, event: VrrpEvent, now: number) => {
    it.handle(member, event, now);
    return drain();
  };
  for (const index of [0, 1]) {
    it.handle(index, { kind: 'link', up: true, address: '10.0.0.5' }, 0);
    it.handle(index, { kind: 'start' }, 0);
  }
  drain();
  const together = (event: VrrpEvent, now: number) => {
    it.handleTogether([0, 1], event, now);
    return drain();
  };
  return { it, drain, give, together, states: () => it.members.map(({ stateKind }) => stateKind).join() };
}
const hear = (priority: number, source = '10.0.0.9'): VrrpEvent => ({
  kind: 'advertisement',
  heard: { source, priority, advertisementIntervalMs: 1000 },
});

test('the group becomes active when every member would be, and all at once', () => {
  const { it, drain, give, states } = group();
  give(0, hear(101), 3000);
  it.timer(3700);
  assert.deepEqual(drain(), []);
  assert.equal(states(), 'backup,backup');
  it.timer(it.members[0]!.deadline()!);
  const asked = drain();
  assert.equal(states(), 'active,active');
  assert.ok(asked.includes('VRRP_Group(g) Syncing instances to MASTER state'));
  assert.ok(asked.indexOf('a advert 100') < asked.indexOf('a announce') && asked.includes('b announce'));
});

test('a member that waits for the others is made to wait again when it hears a better one', () => {
  const { it, give, states } = group();
  give(1, hear(101), 3000);
  it.timer(3700);
  give(0, hear(101), 3800);
  assert.equal(it.members[0]!.willing, false);
  it.timer(it.members[1]!.deadline()!);
  assert.equal(states(), 'backup,backup');
});

test('one member that steps down takes the others with it, with priority 0', () => {
  const { it, drain, give, states } = group();
  it.timer(3700);
  assert.equal(states(), 'active,active');
  drain();
  const asked = give(0, hear(200), 3800);
  assert.equal(states(), 'backup,backup');
  assert.ok(asked.includes('VRRP_Group(g) Syncing instances to BACKUP state') && asked.includes('b advert 0'));
});

test('the addresses of all members outlast them until the successor was heard, where nothing is wrong with any', () => {
  const lettingGo = (asked: readonly string[]) => asked.filter((line) => line.includes('lets go')).sort();
  const yielding = group();
  yielding.it.timer(3700);
  yielding.drain();
  assert.deepEqual(lettingGo(yielding.give(0, hear(200), 3800)), ['a lets go 20', 'b lets go 100']);
  for (const kind of ['handover', 'shutdown'] as const) {
    const { it, drain, together } = group();
    it.timer(3700);
    drain();
    assert.deepEqual(lettingGo(together({ kind }, 3800)), ['a lets go 100', 'b lets go 100'], kind);
  }
  const { it, drain, give, together, states } = group();
  it.timer(3700);
  drain();
  assert.deepEqual(lettingGo(give(1, { kind: 'serving', serving: false }, 3800)), [
    'a lets go at once',
    'b lets go at once',
  ]);
  together({ kind: 'handover' }, 3900);
  give(1, { kind: 'serving', serving: true }, 4000);
  together({ kind: 'resume' }, 4100);
  assert.equal(states(), 'backup,backup');
});

test('a fault of one is a fault of all, and ends for all', () => {
  const { it, give, states } = group();
  it.timer(3700);
  give(1, { kind: 'link', up: false, address: undefined }, 3800);
  assert.equal(states(), 'fault,fault');
  assert.deepEqual(it.members[0]!.status().faults, ['b of sync group g: interface eth0 is down']);
  assert.deepEqual(it.members[1]!.status().faults, ['interface eth0 is down']);
  give(1, { kind: 'link', up: true, address: '10.0.0.5' }, 4000);
  assert.equal(states(), 'backup,backup');
});

test('facts 14: a lower router heard by one member makes every member announce', () => {
  const { it, drain, give } = group();
  it.timer(3700);
  drain();
  assert.deepEqual(give(0, hear(50), 3800).sort(), ['a advert 100', 'a announce', 'b announce']);
});

test('owners become active together, at once', () => {
  const { states } = group([255, 255]);
  assert.equal(states(), 'active,active');
});
