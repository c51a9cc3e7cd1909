/**
 * KeepalivedConfig into VrrpPlan: names become indexes, defaults are filled in, what contradicts itself is settled as Keepalived
 * settles it, and told. The plan is frozen through and through.
 */

import type { Diagnostic } from '../config/diagnostic.ts';
import { type KeepalivedConfig, linesOf } from '../config/keepalived/config.ts';
import type { VirtualAddress } from '../core/vrrp/settings.ts';
import type { VirtualRouterPlan, VrrpPlan } from './vrrp.ts';
import { readAddress } from './vrrp-addresses.ts';
import { PlanContext, type VrrpWorld } from './vrrp-context.ts';
import { buildGlobal } from './vrrp-global.ts';
import { buildGroups, settleGroups } from './vrrp-groups.ts';
import { buildInstance } from './vrrp-instance.ts';
import { readRoute } from './vrrp-routes.ts';
import { buildTracked, named } from './vrrp-tracking.ts';

/**
 * @returns the plan, unless a diagnostic is an alert; and the diagnostics of this step alone (parseKeepalived has its own).
 * Never throws.
 */
export function buildVrrpPlan(
  config: KeepalivedConfig,
  world: VrrpWorld,
): { readonly plan?: VrrpPlan; readonly diagnostics: readonly Diagnostic[] } {
  const context = new PlanContext(config.entries, world);
  const tracked = buildTracked(context);
  const routers = named('vrrp_instance', context).flatMap((entry): VirtualRouterPlan[] => {
    const router = buildInstance(entry, tracked, context);
    return router === undefined ? [] : [router];
  });
  const groups = buildGroups(routers, tracked, context);
  const plan: VrrpPlan = {
    global: buildGlobal(context),
    routers: settleGroups(routers, groups.syncGroups, context),
    ...groups,
    ...tracked,
    staticAddresses: linesOf(config.entries, 'static_ipaddress').flatMap((line): VirtualAddress[] => {
      const address = readAddress(line, context);
      return address === undefined ? [] : [address];
    }),
    staticRoutes: linesOf(config.entries, 'static_routes').map((line) => readRoute(line, context)),
    staticRules: linesOf(config.entries, 'static_rules').map((line) => readRoute(line, context)),
  };
  const refused = context.diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
  return refused ? { diagnostics: context.diagnostics } : { plan: freeze(plan), diagnostics: context.diagnostics };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
