/** `static_ipaddress`, `static_routes`, `static_rules`: there as long as the daemon runs, whatever any router's state. */
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { VrrpPlan } from '../../plan/vrrp.ts';
import type { LinkAddress, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import { Holdings } from './holdings.ts';

export class StaticHoldings {
  readonly #holdings: Holdings;
  #plan: VrrpPlan | undefined;

  constructor(links: Links, journal: Journal) {
    this.#holdings = new Holdings(links, journal, 'static');
  }

  /** Sets what the plan names, and removes what an earlier plan named and this one doesn't. */
  set(plan: VrrpPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    const device = plan.global.defaultInterface;
    const gone = (before?.staticAddresses ?? []).filter((old) => !contains(plan.staticAddresses, old));
    if (before !== undefined) {
      this.#holdings.clearRoutes(
        before.staticRoutes.filter((old) => !contains(plan.staticRoutes, old)),
        before.staticRules.filter((old) => !contains(plan.staticRules, old)),
      );
      if (gone.length > 0) this.#holdings.remove(gone, before.global.defaultInterface);
    }
    if (plan.staticAddresses.length > 0) this.#holdings.add(plan.staticAddresses, device);
    this.#holdings.setRoutes(plan.staticRoutes, plan.staticRules);
  }

  /** Somebody removed one of them: it is put back. */
  lost(address: LinkAddress): void {
    if (this.#plan !== undefined && this.#holdings.isHeld(address)) this.#holdings.reassert();
  }

  clear(): void {
    if (this.#plan === undefined) return;
    this.#holdings.clearRoutes(this.#plan.staticRoutes, this.#plan.staticRules);
    const held: readonly VirtualAddress[] = this.#holdings.addresses();
    if (held.length > 0) this.#holdings.remove(held, this.#plan.global.defaultInterface);
  }
}

function contains(list: readonly unknown[], wanted: unknown): boolean {
  const text = JSON.stringify(wanted);
  return list.some((one) => JSON.stringify(one) === text);
}
