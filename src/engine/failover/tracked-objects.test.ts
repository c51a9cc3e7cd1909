/** What the balancer behind a node costs it: nothing while it has servers, priority (never a fault) when none is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsWith } from '../../core/vrrp/test-settings.ts';
import type { VirtualRouterPlan, VrrpPlan } from '../../plan/vrrp.ts';
import { TrackedObjects } from './tracked-objects.ts';

const nothing = { trackScripts: [], trackInterfaces: [], trackFiles: [], trackProcesses: [], trackBfd: [] };

function priority(basePriority: number, serversLeft: (() => boolean) | undefined) {
  const plan = { scripts: [], files: [], processes: [], routers: [], syncGroups: [] } as unknown as VrrpPlan;
  const world = { ...(serversLeft === undefined ? {} : { serversLeft }) };
  const tracked = new TrackedObjects(plan, world as never, new Set(), () => {});
  const router = { ...nothing, settings: settingsWith({ basePriority }) } as unknown as VirtualRouterPlan;
  return tracked.resultFor(router, undefined);
}

test('a balancer with servers changes nothing, and neither does the lack of one beside the daemon', () => {
  assert.deepEqual(
    priority(101, () => true),
    { priority: 101, faults: [], pending: [] },
  );
  assert.deepEqual(priority(101, undefined), { priority: 101, faults: [], pending: [] });
});

test('a balancer without any server costs priority: a peer that reaches servers wins, and nobody is at fault', () => {
  assert.deepEqual(
    priority(103, () => false),
    { priority: 3, faults: [], pending: [] },
  );
  assert.deepEqual(
    priority(100, () => false),
    { priority: 1, faults: [], pending: [] },
  );
});

test('the owner of the address stays the owner', () => {
  assert.equal(priority(255, () => false).priority, 255);
});
