/**
 * `static_ipaddress`, `static_routes`, `static_rules`: there as long as the daemon runs, whatever any router's state. What others remove is put
 * back at once, unless its line says no_track; what can't be is tried again whenever an interface comes up or gets an address.
 */
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { RoutePlan, VrrpPlan } from '../../plan/vrrp.ts';
import type { Link, LinkAddress, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import { Holdings } from './holdings.ts';

type Static = VirtualAddress | RoutePlan;

export class StaticHoldings {
  readonly #holdings: Holdings;
  readonly #journal: Journal;
  #plan: VrrpPlan | undefined;
  /** What could not be set. */
  #missing = new Set<Static>();
  /** Indexes of interfaces that are up. */
  readonly #up = new Set<number>();

  constructor(links: Links, journal: Journal) {
    this.#journal = journal;
    this.#holdings = new Holdings(links, journal, () => 'static');
    for (const { index, up } of links.links()) if (up) this.#up.add(index);
  }

  /** Sets what the plan names, and removes what an earlier plan named and this one doesn't. */
  set(plan: VrrpPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    const gone = (before?.staticAddresses ?? []).filter((old) => !contains(plan.staticAddresses, old));
    if (before !== undefined) {
      this.#holdings.clearRoutes(
        before.staticRoutes.filter((old) => !contains(plan.staticRoutes, old)),
        before.staticRules.filter((old) => !contains(plan.staticRules, old)),
      );
      if (gone.length > 0) this.#holdings.remove(gone, before.global.defaultInterface);
    }
    this.#setAll(plan.staticAddresses, plan.staticRoutes, plan.staticRules);
  }

  /** Is all there that lines with this track_group ask for? */
  isWhole(group: string): boolean {
    return ![...this.#missing].some(({ trackGroup }) => trackGroup === group);
  }

  addressRemoved({ address, interfaceIndex }: LinkAddress): void {
    const held = this.#holdings.heldAt(interfaceIndex, address);
    if (held !== undefined && held.noTrack !== true)
      this.#journal.log('info', `Restoring deleted static address ${address}/${held.prefix}`);
    // Whosever it was: the kernel has dropped the routes that lead through its network, and says nothing of IPv4's.
    if (held !== undefined || this.#plan?.staticRoutes.length) this.#setTracked();
  }

  addressAdded(): void {
    if (this.#missing.size > 0) this.#setTracked();
  }

  routeRemoved(words: readonly string[]): void {
    this.#restore('route', this.#plan?.staticRoutes, words);
  }

  ruleRemoved(words: readonly string[]): void {
    this.#restore('rule', this.#plan?.staticRules, words);
  }

  /** The kernel drops the routes of an interface that goes down, and says nothing of IPv4's. */
  linkChanged({ index, up }: Link): void {
    const cameUp = up && !this.#up.has(index);
    if (up) this.#up.add(index);
    else this.#up.delete(index);
    if (cameUp) this.#setTracked();
  }

  clear(): void {
    if (this.#plan === undefined) return;
    this.#holdings.clearRoutes(this.#plan.staticRoutes, this.#plan.staticRules);
    const held: readonly VirtualAddress[] = this.#holdings.addresses();
    if (held.length > 0) this.#holdings.remove(held, this.#plan.global.defaultInterface);
    this.#plan = undefined;
  }

  #setTracked(): void {
    if (this.#plan === undefined) return;
    const { staticAddresses, staticRoutes, staticRules } = this.#plan;
    this.#setAll(
      staticAddresses.filter(({ noTrack }) => noTrack !== true),
      staticRoutes.filter(({ noTrack }) => !noTrack),
      staticRules.filter(({ noTrack }) => !noTrack),
    );
  }

  #setAll(addresses: readonly VirtualAddress[], routes: readonly RoutePlan[], rules: readonly RoutePlan[]): void {
    if (this.#plan === undefined) return;
    const unset = addresses.length === 0 ? [] : this.#holdings.add(addresses, this.#plan.global.defaultInterface);
    this.#missing = new Set([...unset, ...this.#holdings.setRoutes(routes, rules)]);
  }

  #restore(what: 'route' | 'rule', list: readonly RoutePlan[] | undefined, words: readonly string[]): void {
    const plan = list?.find((each) => each.words === words);
    if (plan === undefined) return;
    if (this.#holdings.restore(what, plan)) this.#missing.add(plan);
  }
}

function contains(list: readonly unknown[], wanted: unknown): boolean {
  const text = JSON.stringify(wanted);
  return list.some((one) => JSON.stringify(one) === text);
}
