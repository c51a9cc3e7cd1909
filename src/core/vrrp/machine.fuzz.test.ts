/** Whatever comes in, in whatever order: no exception, the addresses are held exactly while active, and time moves on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { VrrpEvent } from './events.ts';
import { VirtualRouterMachine } from './machine.ts';
import { settingsWith, virtualAddress } from './test-settings.ts';

const address = fc.constantFrom('10.42.0.1', '10.42.0.50', '10.42.0.240', 'fe80::1', 'nonsense');
const settings = fc
  .record(
    {
      basePriority: fc.integer({ min: 1, max: 255 }),
      version: fc.constantFrom(2 as const, 3 as const),
      advertisementIntervalMs: fc.constantFrom(10, 250, 1000, 40_950),
      downTimerAdverts: fc.integer({ min: 1, max: 10 }),
      preempt: fc.boolean(),
      preemptDelayMs: fc.constantFrom(0, 1, 5000),
      addresses: fc.subarray([virtualAddress('10.42.0.240'), virtualAddress('10.42.0.241'), virtualAddress('fe80::1')]),
      lowerPrioNoAdvert: fc.boolean(),
      higherPrioSendAdvert: fc.boolean(),
      resignIsImmediate: fc.boolean(),
      splitIsAnnounced: fc.boolean(),
      trackPrimaryInterface: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  .map(settingsWith);

const tracking = fc.record({
  priority: fc.integer({ min: 1, max: 255 }),
  faults: fc.constantFrom([], ['a']),
  pending: fc.constantFrom([], ['b']),
});
const heard = fc.record({
  source: address,
  priority: fc.nat(255),
  advertisementIntervalMs: fc.constantFrom(0, 10, 1000, 40_950),
});
const event: fc.Arbitrary<VrrpEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<VrrpEvent>({ kind: 'timer' }) },
  { weight: 4, arbitrary: heard.map((one): VrrpEvent => ({ kind: 'advertisement', heard: one })) },
  fc.constantFrom<VrrpEvent>(
    { kind: 'start' },
    { kind: 'shutdown' },
    { kind: 'handover' },
    { kind: 'resume' },
    { kind: 'serving', serving: 'unknown' },
    { kind: 'group-fault', reason: 'x' },
    { kind: 'group-fault', reason: undefined },
  ),
  fc.boolean().map((serving): VrrpEvent => ({ kind: 'serving', serving })),
  fc
    .tuple(fc.boolean(), fc.option(address, { nil: undefined }))
    .map(([up, at]): VrrpEvent => ({ kind: 'link', up, address: at })),
  tracking.map((result): VrrpEvent => ({ kind: 'tracking', tracking: result })),
  settings.map((changed): VrrpEvent => ({ kind: 'settings', settings: changed })),
  fc
    .constantFrom('active' as const, 'backup' as const, 'announce' as const)
    .map((wish): VrrpEvent => ({ kind: 'group', wish })),
  address.map((source): VrrpEvent => ({ kind: 'peer-lost', source })),
  address.map((lost): VrrpEvent => ({ kind: 'address-lost', address: lost })),
  address.map((ours): VrrpEvent => ({ kind: 'address-conflict', address: ours, hardwareAddress: '02:00:00:00:00:01' })),
);
/** How long after the event before: at once, a little, at the deadline, or far too late. */
const pause = fc.constantFrom<number | 'deadline'>(0, 1, 400, 'deadline', 100_000);

test('no sequence of events breaks the machine', () => {
  fc.assert(
    fc.property(
      settings,
      fc.array(fc.tuple(pause, event), { maxLength: 60 }),
      fc.boolean(),
      (first, steps, grouped) => {
        const machine = new VirtualRouterMachine(first, grouped);
        const held = new Set<string>();
        let now = 0;
        for (const [wait, what] of [[0, { kind: 'start' }] as const, ...steps]) {
          now = wait === 'deadline' ? Math.max(now, machine.deadline() ?? now) : now + wait;
          machine.handle(what, now);
          for (let action = machine.poll(); action !== undefined; action = machine.poll()) {
            if (action.kind === 'add-addresses') for (const added of action.addresses) held.add(added.address);
            if (action.kind === 'remove-addresses') for (const gone of action.addresses) held.delete(gone.address);
            if (action.kind === 'send-advertisement') assert.ok(action.priority >= 0 && action.priority <= 255);
          }
          const expected = machine.stateKind === 'active' ? machine.settings.addresses.map((one) => one.address) : [];
          assert.deepEqual([...held].sort(), [...expected].sort());
          if (what.kind === 'timer') assert.ok((machine.deadline() ?? Infinity) > now);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
