/**
 * KeepalivedConfig into VrrpPlan: names become indexes, defaults are filled in, what contradicts itself is settled as Keepalived
 * settles it, and told. The plan is frozen through and through.
 */

import type { Diagnostic } from '../config/diagnostic.ts';
import { entriesOf, type KeepalivedConfig, lastOf, linesOf, nameOf } from '../config/keepalived/config.ts';
import type { VirtualAddress, VrrpTransport } from '../core/vrrp/settings.ts';
import type { VirtualRouterPlan, VrrpPlan } from './vrrp.ts';
import { readAddress } from './vrrp-addresses.ts';
import { PlanContext, type VrrpWorld } from './vrrp-context.ts';
import { buildGlobal } from './vrrp-global.ts';
import { buildSyncGroups, settleGroups, withTrackGroups } from './vrrp-groups.ts';
import { buildInstance } from './vrrp-instance.ts';
import { readRoute } from './vrrp-routes.ts';
import { readRule } from './vrrp-rules.ts';
import { buildTracked, named } from './vrrp-tracking.ts';
import { checkMulticastGroups } from './vrrp-transport.ts';
import { withVmacs } from './vrrp-vmac-places.ts';

/**
 * @returns the plan, unless a diagnostic is an alert; and the diagnostics of this step alone (parseKeepalived has its own).
 * Never throws.
 */
export function buildVrrpPlan(
  config: KeepalivedConfig,
  world: VrrpWorld,
): { readonly plan?: VrrpPlan; readonly diagnostics: readonly Diagnostic[] } {
  const context = new PlanContext(config.entries, world);
  checkMulticastGroups(context);
  const tracked = buildTracked(context);
  const built = named('vrrp_instance', context).flatMap((entry): VirtualRouterPlan[] => {
    const router = buildInstance(entry, tracked, context);
    return router === undefined ? [] : [router];
  });
  refuseDuplicateIds(built, context);
  const addresses = linesOf(config.entries, 'static_ipaddress').flatMap((line): VirtualAddress[] => {
    const address = readAddress(line, context, true);
    return address === undefined ? [] : [address];
  });
  const routes = linesOf(config.entries, 'static_routes').flatMap((line) => readRoute(line, context, true) ?? []);
  const rules = linesOf(config.entries, 'static_rules').flatMap((line) => readRule(line, context, true) ?? []);
  const global = buildGlobal(context, built);
  const routers = withTrackGroups(
    withVmacs(built, context),
    { addresses, routes, rules },
    global.defaultInterface,
    context,
  );
  const syncGroups = buildSyncGroups(routers, tracked, context);
  const plan: VrrpPlan = {
    global,
    routers: settleGroups(routers, syncGroups, context),
    syncGroups,
    ...tracked,
    staticAddresses: addresses,
    staticRoutes: routes,
    staticRules: rules,
  };
  const refused = context.diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
  return refused ? { diagnostics: context.diagnostics } : { plan: freeze(plan), diagnostics: context.diagnostics };
}

/**
 * Two routers may have one VRID on one interface and family only where they can't hear each other's advertisements: other multicast
 * groups, or unicast with no common peer (keepalived.conf(5), virtual_router_id).
 */
function refuseDuplicateIds(routers: readonly VirtualRouterPlan[], context: PlanContext): void {
  const seen = new Map<string, VirtualRouterPlan[]>();
  for (const router of routers) {
    const { settings } = router;
    const key = `${settings.virtualRouterId} ${settings.family} ${settings.interface}`;
    const others = seen.get(key) ?? [];
    const same = others.find((other) => audiencesMeet(other.settings.transport, settings.transport));
    if (same !== undefined) {
      const entry = entriesOf(context.entries, 'vrrp_instance').find((each) => nameOf(each) === settings.name)!;
      const where = `on interface ${settings.interface}`;
      context.alert(
        'duplicate',
        (lastOf(entry.entries, 'virtual_router_id') ?? entry).place,
        `${same.settings.name} and ${settings.name} both use VRID ${settings.virtualRouterId} with ${settings.family} ${where}`,
      );
    }
    seen.set(key, [...others, router]);
  }
}

function audiencesMeet(one: VrrpTransport, other: VrrpTransport): boolean {
  if (one.kind === 'multicast' || other.kind === 'multicast')
    return one.kind === 'multicast' && other.kind === 'multicast' && one.group === other.group;
  return one.peers.some((peer) => other.peers.some((each) => each.address === peer.address));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
