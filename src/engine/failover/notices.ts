/** Which of a router's changes scripts and pipes are told of, and when those of its sync group. */
import type { VrrpAction } from '../../core/vrrp/events.ts';
import type { Member } from './members.ts';
import { type Notifier, notifiedGroup, notifiedRouter, notifiedState } from './notifier.ts';

/** Keepalived's: a group has no priority of its own. */
const groupPriority = 0;

/** `deleted`: the router is gone from the configuration. */
export function noticeState(
  notifier: Notifier,
  { driver, group }: Member,
  action: VrrpAction & { readonly kind: 'state-changed' },
  deleted: boolean,
): void {
  const { plan } = driver;
  const farewell = plan.notifyDeleted ? 'DELETED' : 'FAULT';
  const ended = action.to === 'initialize' ? 'STOP' : notifiedState(action.to);
  const state = deleted ? farewell : ended;
  if (state === undefined) return;
  notifier.state(notifiedRouter(plan), state, action.priority);
  // The group is told of once, when its last member has followed.
  if (group === undefined || !group.machine.members.every((machine) => machine.stateKind === action.to)) return;
  notifier.state(notifiedGroup(group.plan), state, groupPriority);
}

/** After a reload that changed nothing about them. */
export function repeatStates(notifier: Notifier, members: readonly Member[]): void {
  const groups = new Set<string>();
  for (const { driver, group } of members) {
    const state = notifiedState(driver.machine.stateKind);
    if (state === undefined) continue;
    notifier.repeat(notifiedRouter(driver.plan), state, driver.machine.priority);
    if (group === undefined || groups.has(group.plan.name)) continue;
    groups.add(group.plan.name);
    notifier.repeat(notifiedGroup(group.plan), state, groupPriority);
  }
}

/** The running priority is another one than before. */
export function noticePriority(notifier: Notifier, { driver }: Member): void {
  const { stateKind, priority } = driver.machine;
  if (stateKind === 'active' || stateKind === 'backup')
    notifier.priority(notifiedRouter(driver.plan), stateKind === 'active' ? 'MASTER' : 'BACKUP', priority);
}

export function noticeLowerHeard(notifier: Notifier, { driver }: Member): void {
  notifier.lowerPriorityHeard(notifiedRouter(driver.plan), driver.machine.priority);
}
