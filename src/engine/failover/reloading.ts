/** What a reload needs to know of two plans. */
import type { VirtualRouterPlan, VrrpPlan } from '../../plan/vrrp.ts';

/** Indexes of the routers that are in a sync group. */
export function groupedRouters(plan: VrrpPlan): ReadonlySet<number> {
  return new Set(plan.syncGroups.flatMap((group) => group.members));
}

/** The same virtual router, whatever else changed: its state can go on. */
export function sameRouter(a: VirtualRouterPlan, b: VirtualRouterPlan): boolean {
  return (
    a.settings.name === b.settings.name &&
    a.settings.interface === b.settings.interface &&
    a.settings.virtualRouterId === b.settings.virtualRouterId &&
    a.settings.version === b.settings.version &&
    a.settings.family === b.settings.family &&
    JSON.stringify(a.settings.transport) === JSON.stringify(b.settings.transport) &&
    JSON.stringify(a.settings.vmac) === JSON.stringify(b.settings.vmac)
  );
}
