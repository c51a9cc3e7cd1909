/** What a reload needs to know of two plans. */
import type { VirtualRouterPlan, VrrpPlan } from '../../plan/vrrp.ts';
import type { Member } from './members.ts';

/**
 * The same virtual router, whatever else changed: its state can go on, as in Keepalived with another version, name or sync group. Other
 * peers, or unicast instead of multicast, are no reason either to give an address up that nobody else has: it is told to the new ones
 * from now on.
 */
function sameRouter(a: VirtualRouterPlan, b: VirtualRouterPlan): boolean {
  return (
    a.settings.interface === b.settings.interface &&
    a.settings.virtualRouterId === b.settings.virtualRouterId &&
    a.settings.family === b.settings.family &&
    JSON.stringify(a.settings.vmac) === JSON.stringify(b.settings.vmac)
  );
}

/**
 * Of the members before those that the new plan still has in the same place, by their new number. Where several are in one place (by
 * unicast), the name tells them apart.
 */
export function stayingMembers(before: readonly Member[], plan: VrrpPlan): ReadonlyMap<number, Member> {
  const staying = new Map<number, Member>();
  const left = new Set(before);
  for (const byName of [true, false])
    for (const [index, router] of plan.routers.entries()) {
      if (staying.has(index)) continue;
      const member = [...left].find(
        ({ driver }) => sameRouter(driver.plan, router) && (!byName || driver.settings.name === router.settings.name),
      );
      if (member === undefined) continue;
      staying.set(index, member);
      left.delete(member);
    }
  return staying;
}

/** Of those that stay, whose names are others now: by the old ones. */
export function newNames(staying: ReadonlyMap<number, Member>, plan: VrrpPlan): ReadonlyMap<string, string> {
  const names = [...staying].map(
    ([index, { driver }]) => [driver.settings.name, plan.routers[index].settings.name] as const,
  );
  return new Map(names.filter(([before, after]) => before !== after));
}

/** What is known by name goes with the router; what was known of one that had its new name before is over. */
export function underNewNames<Known>(
  known: Iterable<readonly [string, Known]>,
  names: ReadonlyMap<string, string>,
): Map<string, Known> {
  const taken = new Set(names.values());
  return new Map(
    [...known]
      .filter(([name]) => names.has(name) || !taken.has(name))
      .map(([name, value]) => [names.get(name) ?? name, value] as const),
  );
}
