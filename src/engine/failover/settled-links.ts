/**
 * `interface_up_down_delays`: the interfaces as the virtual routers see them. One that goes down or comes up counts as it was until it has
 * stayed so for its delay; one that bounces back in time never changed.
 */
import type { IpFamily } from '../../core/address.ts';
import type { InterfaceDelayPlan } from '../../plan/vrrp.ts';
import type { AddressRequest, Link, LinkAddress, Links, LinkWatcher, VmacOptions } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import { OwnRemovals } from './own-removals.ts';
import { ReturningLinks } from './returning-links.ts';

interface Settling {
  readonly delay: InterfaceDelayPlan;
  /** What counts; undefined: nothing is known of it yet, so that its first state counts at once. */
  running: boolean | undefined;
  readonly alarm: Alarm;
  pending: boolean;
}

export class SettledLinks implements Links {
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #returning: ReturningLinks;
  #settling = new Map<string, Settling>();
  #watcher: LinkWatcher | undefined;
  readonly #removals = new OwnRemovals();

  constructor(links: Links, clock: Clock, journal: Journal) {
    this.#links = links;
    this.#clock = clock;
    this.#returning = new ReturningLinks(links, journal);
  }

  /** At the start and at a reload: what counts now goes on counting. */
  configure(delays: readonly InterfaceDelayPlan[]): void {
    const before = this.#settling;
    this.#settling = new Map();
    for (const { alarm } of before.values()) alarm.clear();
    for (const delay of delays) {
      const name = delay.interface;
      const running = before.get(name)?.running ?? this.#links.link(name)?.running;
      this.#settling.set(name, { delay, running, alarm: this.#clock.alarm(() => this.#settle(name)), pending: false });
      const link = this.#links.link(name);
      if (link !== undefined) this.#changed(link);
    }
    for (const name of before.keys()) {
      const link = this.#links.link(name);
      if (!this.#settling.has(name) && link !== undefined) this.#watcher?.linkChanged(link);
    }
  }

  links(): readonly Link[] {
    return this.#settling.size === 0 ? this.#links.links() : this.#links.links().map((link) => this.#seen(link));
  }

  link(name: string): Link | undefined {
    const link = this.#links.link(name);
    return link === undefined ? undefined : this.#seen(link);
  }

  watch(watcher: LinkWatcher): void {
    this.#watcher = watcher;
    this.#returning.begin();
    this.#links.watch({
      ...watcher,
      addressAdded: (address) => watcher.addressAdded(address),
      addressRemoved: (address) => watcher.addressRemoved(address, this.#removals.take(address, this.#clock.now())),
      routeRemoved: (words) => watcher.routeRemoved(words),
      ruleRemoved: (words) => watcher.ruleRemoved(words),
      linkChanged: (link) => {
        this.#returning.changed(link);
        this.#changed(link);
      },
      linkRemoved: (link) => {
        this.#returning.removed(link);
        const settling = this.#settling.get(link.name);
        if (settling !== undefined) {
          settling.alarm.clear();
          settling.pending = false;
          settling.running = undefined;
        }
        watcher.linkRemoved(link);
      },
    });
  }

  #changed(link: Link): void {
    const settling = this.#settling.get(link.name);
    if (settling === undefined) {
      this.#watcher?.linkChanged(link);
      return;
    }
    settling.running ??= link.running;
    const { downMs, upMs } = settling.delay;
    const delayMs = link.running ? upMs : downMs;
    if (link.running === settling.running) {
      settling.alarm.clear();
      settling.pending = false;
    } else if (delayMs === 0) settling.running = link.running;
    else if (!settling.pending) {
      settling.pending = true;
      settling.alarm.set(this.#clock.now() + delayMs);
    }
    this.#watcher?.linkChanged(this.#seen(link));
  }

  #settle(name: string): void {
    const settling = this.#settling.get(name);
    const link = this.#links.link(name);
    if (settling === undefined || link === undefined) return;
    settling.pending = false;
    settling.running = link.running;
    this.#watcher?.linkChanged(link);
  }

  #seen(link: Link): Link {
    const running = this.#settling.get(link.name)?.running ?? link.running;
    return running === link.running ? link : { ...link, running, up: link.up || running };
  }

  // ------------------------------------------------------------ as they are

  addresses(): readonly LinkAddress[] {
    return this.#links.addresses();
  }

  addAddress(request: AddressRequest) {
    return this.#links.addAddress(request);
  }

  removeAddress(request: AddressRequest) {
    const { interfaceIndex, address, prefix } = request;
    // Nothing is told of one that isn't there.
    const isThere = this.#links
      .addresses()
      .some((each) => each.interfaceIndex === interfaceIndex && each.address === address && each.prefix === prefix);
    const failure = this.#links.removeAddress(request);
    if (isThere && failure === undefined) this.#removals.removed(request, this.#clock.now());
    return failure;
  }

  addRoute(words: readonly string[], family: IpFamily) {
    return this.#links.addRoute(words, family);
  }

  removeRoute(words: readonly string[], family: IpFamily) {
    return this.#links.removeRoute(words, family);
  }

  addRule(words: readonly string[], family: IpFamily) {
    return this.#links.addRule(words, family);
  }

  removeRule(words: readonly string[], family: IpFamily) {
    return this.#links.removeRule(words, family);
  }

  createVmac(base: Link, name: string, hardwareAddress: Uint8Array, options: VmacOptions = {}) {
    return this.#links.createVmac(base, name, hardwareAddress, options);
  }

  removeLink(index: number) {
    return this.#links.removeLink(index);
  }

  askNeighbours(index: number) {
    return this.#links.askNeighbours(index);
  }

  parameter(family: IpFamily, interfaceName: string, parameter: string) {
    return this.#links.parameter(family, interfaceName, parameter);
  }

  setParameter(family: IpFamily, interfaceName: string, parameter: string, value: number) {
    return this.#links.setParameter(family, interfaceName, parameter, value);
  }
}
