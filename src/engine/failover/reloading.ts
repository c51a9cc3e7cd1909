/** What a reload needs to know of two plans. */
import type { VirtualRouterPlan, VrrpPlan } from '../../plan/vrrp.ts';
import type { Member } from './members.ts';

/** Indexes of the routers that are in a sync group. */
export function groupedRouters(plan: VrrpPlan): ReadonlySet<number> {
  return new Set(plan.syncGroups.flatMap((group) => group.members));
}

/**
 * The same virtual router, whatever else changed: its state can go on, as in Keepalived with another version. Other peers, or unicast
 * instead of multicast, are no reason either to give an address up that nobody else has: it is told to the new ones from now on.
 */
function sameRouter(a: VirtualRouterPlan, b: VirtualRouterPlan): boolean {
  return (
    a.settings.name === b.settings.name &&
    a.settings.interface === b.settings.interface &&
    a.settings.virtualRouterId === b.settings.virtualRouterId &&
    a.settings.family === b.settings.family &&
    JSON.stringify(a.settings.vmac) === JSON.stringify(b.settings.vmac)
  );
}

/** Of the members before those that the new plan still has in the same place, by their new number. */
export function stayingMembers(before: readonly Member[], plan: VrrpPlan): ReadonlyMap<number, Member> {
  const grouped = groupedRouters(plan);
  const staying = new Map<number, Member>();
  for (const [index, router] of plan.routers.entries()) {
    const member = before.find(
      ({ driver, group }) => sameRouter(driver.plan, router) && (group !== undefined) === grouped.has(index),
    );
    if (member !== undefined) staying.set(index, member);
  }
  return staying;
}
