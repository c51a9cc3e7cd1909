/** Taking an address back that was handed over to nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VrrpEvent } from './events.ts';
import { VirtualRouterMachine } from './machine.ts';
import { settingsWith } from './test-settings.ts';

/** Active, then handed over at 10,000 ms. */
function handedOver() {
  const machine = new VirtualRouterMachine(settingsWith({}));
  const give = (event: VrrpEvent, now: number) => {
    machine.handle(event, now);
    while (machine.poll() !== undefined);
    return machine.stateKind;
  };
  give({ kind: 'link', up: true, address: '10.42.0.50' }, 0);
  give({ kind: 'start' }, 0);
  assert.equal(give({ kind: 'timer' }, machine.deadline()!), 'active');
  for (let now = machine.deadline()!; now < 10_000; now = machine.deadline()!) give({ kind: 'timer' }, now);
  assert.equal(give({ kind: 'handover' }, 10_000), 'fault');
  return give;
}

test('nobody took over: active again without waiting for the timer', () => {
  const give = handedOver();
  assert.equal(give({ kind: 'resume' }, 11_500), 'backup');
  assert.equal(give({ kind: 'take-back', sinceMs: 10_000 }, 11_500), 'active');
});

test('somebody spoke meanwhile: it stays what the election made of it', () => {
  const give = handedOver();
  give({ kind: 'advertisement', heard: { source: '10.42.0.73', priority: 90, advertisementIntervalMs: 1000 } }, 11_000);
  give({ kind: 'resume' }, 11_500);
  assert.equal(give({ kind: 'take-back', sinceMs: 10_000 }, 11_500), 'backup');
});

test('out of the election it means nothing', () => {
  const give = handedOver();
  assert.equal(give({ kind: 'take-back', sinceMs: 10_000 }, 11_500), 'fault');
});
