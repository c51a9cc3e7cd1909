/** What one virtual router has put on this host: addresses, routes, rules. Knows what it holds, so that it sees what others take away. */
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { RoutePlan } from '../../plan/vrrp.ts';
import type { Firewall } from '../ports/firewall.ts';
import type { AddressRequest, LinkAddress, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

/** A lease of n seconds is renewed this often within them. */
const renewalsPerLease = 5;

export class Holdings {
  readonly #links: Links;
  readonly #journal: Journal;
  readonly #router: () => string;
  readonly #leaseSeconds: () => number | undefined;
  readonly #guard: () => Firewall | undefined;
  /** Who blocks what is held now. */
  #guarded: Firewall | undefined;
  #renewedAt = -Infinity;
  /** Kept on the loopback interface by us. */
  readonly #onLo = new Set<string>();
  /** By interface index and address. */
  readonly #held = new Map<string, { readonly address: VirtualAddress; readonly request: AddressRequest }>();

  /**
   * `leaseSeconds`: how long the kernel keeps what is not renewed; undefined = for ever. `guard`: who drops what is sent to the addresses
   * (`no_accept`); undefined = they accept.
   */
  constructor(
    links: Links,
    journal: Journal,
    router: () => string,
    leaseSeconds: () => number | undefined = () => undefined,
    guard: () => Firewall | undefined = () => undefined,
  ) {
    this.#guard = guard;
    this.#leaseSeconds = leaseSeconds;
    this.#links = links;
    this.#journal = journal;
    this.#router = router;
  }

  /** The addresses that are ours now, in the order in which they were added. */
  addresses(): readonly VirtualAddress[] {
    return [...this.#held.values()].map(({ address }) => address);
  }

  heldAt(interfaceIndex: number, address: string): VirtualAddress | undefined {
    return this.#held.get(key(interfaceIndex, address))?.address;
  }

  isHeld(address: LinkAddress): boolean {
    return this.#held.has(key(address.interfaceIndex, address.address));
  }

  /**
   * @param device where an address goes that names none.
   * @returns those that could not be set.
   */
  add(addresses: readonly VirtualAddress[], device: string): VirtualAddress[] {
    const failed: VirtualAddress[] = [];
    if (addresses.length > 0) this.#journal.detail(`(${this.#router()}) setting VIPs.`);
    this.#guarded = this.#guard();
    for (const address of addresses) {
      const request = this.#request(address, device);
      if (request === undefined) {
        this.#journal.log(
          'err',
          `(${this.#router()}) cannot set ${address.address}: no interface ${address.device ?? device}`,
        );
        failed.push(address);
        continue;
      }
      // Blocked first: it must not answer even for a moment.
      this.#block(request);
      // Noted first: the event of its own addition must find it held.
      this.#held.set(key(request.interfaceIndex, address.address), { address, request });
      const failure = this.#links.addAddress(request);
      if (failure === undefined) continue;
      this.#held.delete(key(request.interfaceIndex, address.address));
      failed.push(address);
      this.#journal.log('err', `(${this.#router()}) cannot set ${address.address}/${address.prefix}: ${failure}`);
    }
    return failed;
  }

  /** Of these, what is not held and has an interface to stand on: its macvlan was removed and made again. */
  missing(addresses: readonly VirtualAddress[], device: string): VirtualAddress[] {
    return addresses.filter((address) => {
      const link = this.#links.link(address.device ?? device);
      return link !== undefined && address.noTrack !== true && !this.#held.has(key(link.index, address.address));
    });
  }

  /** They stay on the interface for now, but are no longer renewed, nor put back when somebody takes them away. */
  forget(addresses: readonly VirtualAddress[], device: string): void {
    for (const address of addresses) {
      const request = this.#request(address, device);
      if (request !== undefined) this.#held.delete(key(request.interfaceIndex, address.address));
    }
  }

  remove(addresses: readonly VirtualAddress[], device: string): void {
    if (addresses.length > 0) this.#journal.detail(`(${this.#router()}) removing VIPs.`);
    for (const address of addresses) {
      const request = this.#request(address, device);
      if (request === undefined) continue;
      this.#held.delete(key(request.interfaceIndex, address.address));
      const failure = this.#links.removeAddress(request);
      if (failure !== undefined)
        this.#journal.log('err', `(${this.#router()}) cannot remove ${address.address}/${address.prefix}: ${failure}`);
      this.#guarded?.unblock(request);
    }
  }

  /** Where this host's own sockets find them, and nobody on the network does who does not know already (Linux, for IPv6). */
  keepOnLoopback(addresses: readonly VirtualAddress[], seconds: number): void {
    for (const request of this.#onLoopback(addresses, seconds)) {
      const own = this.#links
        .addresses()
        .some((each) => each.interfaceIndex === request.interfaceIndex && each.address === request.address);
      // The operator's own, for binding to it: it serves as well, and stays.
      if (own && !this.#onLo.has(request.address)) continue;
      if (this.#links.addAddress(request) === undefined) this.#onLo.add(request.address);
    }
  }

  removeFromLoopback(addresses: readonly VirtualAddress[]): void {
    for (const request of this.#onLoopback(addresses, undefined))
      if (this.#onLo.delete(request.address)) this.#links.removeAddress(request);
  }

  #onLoopback(addresses: readonly VirtualAddress[], lifetimeSeconds: number | undefined): AddressRequest[] {
    const loopback = this.#links.link('lo');
    if (loopback === undefined) return [];
    return addresses.map(({ family, address }) => ({
      interfaceIndex: loopback.index,
      family,
      address,
      prefix: family === 'ipv4' ? 32 : 128,
      label: undefined,
      scope: undefined,
      broadcast: undefined,
      peer: undefined,
      home: false,
      noPrefixRoute: true,
      lifetimeSeconds,
      // Never a source of what this host begins by itself.
      deprecated: true,
    }));
  }

  /** Renews the lease, several times within its length: a renewal that comes late by an interval costs nothing. */
  renew(now: number): void {
    const lease = this.#leaseSeconds();
    if (lease === undefined || now - this.#renewedAt < (lease * 1000) / renewalsPerLease) return;
    this.#renewedAt = now;
    this.reassert();
  }

  /** Sets again what should be there: after a reload that moved an address from another router to this one. */
  reassert(): void {
    const lifetimeSeconds = this.#leaseSeconds();
    this.#guardAnew();
    for (const { request } of this.#held.values()) this.#links.addAddress({ ...request, lifetimeSeconds });
  }

  /** A reload may have said `accept` or `no_accept`. */
  #guardAnew(): void {
    const before = this.#guarded;
    const guard = this.#guard();
    if (guard === before) return;
    this.#guarded = guard;
    for (const { request } of this.#held.values()) {
      before?.unblock(request);
      this.#block(request);
    }
  }

  #block(request: AddressRequest): void {
    const failure = this.#guarded?.block(request);
    if (failure !== undefined)
      this.#journal.log(
        'err',
        `(${this.#router()}) no_accept: cannot block ${request.address} with nftables: ${failure}`,
      );
  }

  /** @returns those that could not be set. */
  setRoutes(routes: readonly RoutePlan[], rules: readonly RoutePlan[]): RoutePlan[] {
    const unset = (route: RoutePlan) => this.#complain('route', route, this.#links.addRoute(route.words, route.family));
    return [
      ...routes.filter(unset),
      ...rules.filter((rule) => this.#complain('rule', rule, this.#links.addRule(rule.words, rule.family))),
    ];
  }

  /** Somebody removed that route or rule: it is put back, unless its line says no_track. @returns whether one is missing now. */
  restore(what: 'route' | 'rule', plan: RoutePlan): boolean {
    if (plan.noTrack) return true;
    this.#journal.log('info', `(${this.#router()}) Restoring deleted ${what} ${plan.words.join(' ')}`);
    return this.setRoutes(what === 'route' ? [plan] : [], what === 'rule' ? [plan] : []).length > 0;
  }

  clearRoutes(routes: readonly RoutePlan[], rules: readonly RoutePlan[]): void {
    for (const rule of rules) this.#complain('rule', rule, this.#links.removeRule(rule.words, rule.family));
    for (const route of routes) this.#complain('route', route, this.#links.removeRoute(route.words, route.family));
  }

  #complain(what: string, plan: RoutePlan, failure: string | undefined): boolean {
    if (failure !== undefined)
      this.#journal.log('err', `(${this.#router()}) ${what} \`${plan.words.join(' ')}\`: ${failure}`);
    return failure !== undefined;
  }

  #request(address: VirtualAddress, device: string): AddressRequest | undefined {
    const link = this.#links.link(address.device ?? device);
    return link === undefined ? undefined : addressRequest(address, link.index, this.#leaseSeconds());
  }
}

export function addressRequest(
  address: VirtualAddress,
  interfaceIndex: number,
  lifetimeSeconds: number | undefined,
): AddressRequest {
  const { family, prefix, label, scope, broadcast, peer, home, noPrefixRoute, preferredLifetimeSec } = address;
  return {
    interfaceIndex,
    family,
    address: address.address,
    prefix,
    label,
    scope,
    broadcast,
    peer,
    home,
    noPrefixRoute,
    lifetimeSeconds,
    // With a preferred lifetime of 0 it doesn't become the source of what this host sends by itself (RFC 6724 §5 rule 3).
    deprecated: preferredLifetimeSec === 0,
    ...(preferredLifetimeSec ? { preferredSeconds: preferredLifetimeSec } : {}),
    ...(address.manageTemporary ? { manageTemporary: true } : {}),
    ...(address.autojoin ? { autojoin: true } : {}),
  };
}

function key(interfaceIndex: number, address: string): string {
  return `${interfaceIndex} ${address}`;
}
