/** A machine with its clock and what it asks for, in short words, for the tests of this folder. */
import type { VrrpAction, VrrpEvent } from './events.ts';
import { VirtualRouterMachine } from './machine.ts';
import type { VirtualRouterSettings } from './settings.ts';
import { settingsWith } from './test-settings.ts';

export const own = '10.42.0.50';
export const higherAddress = '10.42.0.73';
export const lowerAddress = '10.42.0.8';

/** A machine with its clock, and what it asked for since the last look. */
export function router(changes: Partial<VirtualRouterSettings> = {}) {
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
export function activeRouter(changes: Partial<VirtualRouterSettings> = {}) {
  const it = router(changes);
  it.start();
  if (it.state === 'backup') it.ring();
  if (it.state !== 'active') throw new Error(`it is ${it.state}`);
  return it;
}

/** Actions as short words; log lines are left out. */
export function short(actions: readonly VrrpAction[]): string[] {
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

/** What a router asks for when it lets go of its addresses, and when it becomes active. */
export const letGo = ['cancel-announcements', 'rem 1 all'];
export const becomes = ['advert 100', 'add 1 all', 'announce 1x5', 'backup>active'];
