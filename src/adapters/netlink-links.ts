/** The Links port over rtnetlink: a picture of interfaces and addresses that the kernel keeps fresh, and changes that are done on return. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { IpFamily } from '../core/address.ts';
import type { AddressRequest, Link, LinkAddress, Links, LinkWatcher, VmacOptions } from '../engine/ports/links.ts';
import type { SystemFailure } from '../engine/ports/system-failure.ts';
import {
  addAddressMessage,
  createMacvlanMessage,
  deleteLinkMessage,
  dumpAddresses,
  dumpLinks,
  noAddressGenerationMessage,
  parseAddress,
  parseGroup,
  parseLink,
  parseMacvlan,
  removeAddressMessage,
  setGroupMessage,
  setUpMessage,
} from './netlink-address.ts';
import { KeptWords, routeKeys, ruleKeys } from './netlink-kept.ts';
import { messageType, type NetlinkMessage, type ReceivedMessage } from './netlink-message.ts';
import { askUnanswered } from './netlink-neighbours.ts';
import { routeMessage } from './netlink-route.ts';
import { ruleMessage } from './netlink-rule.ts';
import { NetlinkEvents, NetlinkRequester } from './netlink-socket.ts';
import type { BuiltMessage } from './route-words.ts';

/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR. */
const eventGroups = 0x1 | 0x10 | 0x100;
/** RTNLGRP_*: heard only where such a thing was set here, since a host may have many routes of others that come and go. */
const routeGroup = { ipv4: 7, ipv6: 11 };
const ruleGroup = { ipv4: 8, ipv6: 19 };

export class NetlinkLinks implements Links {
  readonly #requester = new NetlinkRequester();
  readonly #events: NetlinkEvents;
  #links = new Map<number, Link>();
  #addresses = new Map<string, LinkAddress>();
  #watcher: LinkWatcher | undefined;
  readonly #routes = new KeptWords(routeKeys);
  readonly #rules = new KeptWords(ruleKeys);
  readonly #joined = new Set<number>();
  #tell: (event: () => void) => void = tellAtOnce;

  constructor() {
    // Subscribed before the first look, so that no change falls between the two.
    this.#events = new NetlinkEvents(
      0,
      eventGroups,
      (message) => this.#take(message),
      () => this.#eventsLost(),
    );
    this.#lookAgain();
  }

  close(): void {
    this.#events.close();
    this.#requester.close();
  }

  links(): readonly Link[] {
    return [...this.#links.values()];
  }

  link(name: string): Link | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  addresses(): readonly LinkAddress[] {
    return [...this.#addresses.values()];
  }

  watch(watcher: LinkWatcher): void {
    this.#watcher = watcher;
  }

  addAddress(request: AddressRequest): SystemFailure {
    return this.#change(addAddressMessage(request));
  }

  removeAddress(request: AddressRequest): SystemFailure {
    const failure = this.#change(removeAddressMessage(request));
    return failure === 'EADDRNOTAVAIL' || failure === 'ENODEV' ? undefined : failure;
  }

  addRoute(words: readonly string[], family: IpFamily): SystemFailure {
    const built = routeMessage('add', words, family, this.#indexOf);
    // With `add` or `append` the kernel takes the same route once.
    const failure = this.#set(built, routeGroup[family]);
    if (failure === undefined && 'message' in built) this.#routes.keep(built.message.finish(0), words);
    return failure;
  }

  removeRoute(words: readonly string[], family: IpFamily): SystemFailure {
    const built = routeMessage('remove', words, family, this.#indexOf);
    if ('message' in built) this.#routes.forget(built.message.finish(0));
    const failure = this.#changeWords(built);
    return failure === 'ESRCH' || failure === 'ENODEV' ? undefined : failure;
  }

  addRule(words: readonly string[], family: IpFamily): SystemFailure {
    const built = ruleMessage('add', words, family);
    const failure = this.#set(built, ruleGroup[family]);
    if (failure === undefined && 'message' in built) this.#rules.keep(built.message.finish(0), words);
    return failure;
  }

  removeRule(words: readonly string[], family: IpFamily): SystemFailure {
    const built = ruleMessage('remove', words, family);
    if ('message' in built) this.#rules.forget(built.message.finish(0));
    const failure = this.#changeWords(built);
    return failure === 'ENOENT' ? undefined : failure;
  }

  createVmac(
    base: Link,
    name: string,
    hardwareAddress: Uint8Array,
    options: VmacOptions = {},
  ): { readonly link: Link } | { readonly failure: string } {
    const baseGroup = this.#groupOf(base.index);
    const group = options.group ?? baseGroup;
    const make = () => this.#change(createMacvlanMessage(base.index, name, hardwareAddress, group));
    let failure = make();
    // Left behind by a daemon that was killed.
    const left = failure === 'EEXIST' ? this.#macvlan(name) : undefined;
    const fits = left?.base === base.index && Buffer.compare(left.hardwareAddress, hardwareAddress) === 0;
    if (left !== undefined && !fits) failure = this.removeLink(left.index) ?? make();
    if (failure !== undefined && !fits) return { failure };
    this.#lookAgain();
    const made = this.link(name);
    if (made === undefined) return { failure: 'ENODEV' };
    this.#change(noAddressGenerationMessage(made.index));
    if (fits) this.#change(setGroupMessage(made.index, group));
    // The base interface must not answer ARP for the addresses of the macvlan with its own hardware address, nor the other way round.
    this.setParameter('ipv4', name, 'arp_ignore', 1);
    this.setParameter('ipv4', name, 'arp_filter', 0);
    this.setParameter('ipv4', name, 'accept_local', 1);
    this.setParameter('ipv4', name, 'rp_filter', 0);
    if (readParameter('ipv4', base.name, 'arp_ignore') === 0) this.setParameter('ipv4', base.name, 'arp_ignore', 1);
    const up = this.#change(setUpMessage(made.index));
    if (up !== undefined) return { failure: up };
    if (options.tellOfBase === true) this.#change(setGroupMessage(base.index, baseGroup));
    this.#lookAgain();
    return { link: this.#links.get(made.index) ?? made };
  }

  #groupOf(index: number): number {
    for (const { body } of this.#requester.dump(dumpLinks()))
      if (parseLink(body)?.index === index) return parseGroup(body);
    return 0;
  }

  /** Of that name; undefined when it is no macvlan. */
  #macvlan(name: string) {
    for (const { body } of this.#requester.dump(dumpLinks())) {
      const macvlan = parseMacvlan(body);
      if (macvlan?.name === name) return macvlan;
    }
    return undefined;
  }

  removeLink(index: number): SystemFailure {
    const failure = this.#change(deleteLinkMessage(index));
    return failure === 'ENODEV' ? undefined : failure;
  }

  askNeighbours(index: number): SystemFailure {
    return askUnanswered(this.#requester, index);
  }

  parameter(family: IpFamily, interfaceName: string, parameter: string): number | undefined {
    return readParameter(family, interfaceName, parameter);
  }

  setParameter(family: IpFamily, interfaceName: string, parameter: string, value: number): number | undefined {
    const before = readParameter(family, interfaceName, parameter);
    if (before === undefined || before === value) return before;
    try {
      writeFileSync(parameterPath(family, interfaceName, parameter), String(value));
      return before;
    } catch {
      return undefined;
    }
  }

  #change(message: NetlinkMessage | undefined): SystemFailure {
    return message === undefined ? 'EINVAL' : this.#requester.change(message);
  }

  #changeWords(built: BuiltMessage): SystemFailure {
    return 'failure' in built ? built.failure : this.#requester.change(built.message);
  }

  /** The group is joined first: a removal right after it must be heard. */
  #set(built: BuiltMessage, group: number): SystemFailure {
    if (!this.#joined.has(group)) this.#events.join(group);
    this.#joined.add(group);
    const failure = this.#changeWords(built);
    return failure === 'EEXIST' ? undefined : failure;
  }

  readonly #indexOf = (name: string): number | undefined => this.link(name)?.index;

  /**
   * Reads everything anew, and tells the watcher what differs from what was known: only once all of it is known, since what the watcher
   * does then may be another look.
   */
  #lookAgain(): void {
    const links = new Map<number, Link>();
    for (const { body } of this.#requester.dump(dumpLinks())) {
      const link = parseLink(body);
      if (link !== undefined) links.set(link.index, link);
    }
    const addresses = new Map<string, LinkAddress>();
    for (const { body } of this.#requester.dump(dumpAddresses())) {
      const address = parseAddress(body);
      if (address !== undefined) addresses.set(addressKey(address), address);
    }
    const events: (() => void)[] = [];
    this.#tell = (event) => events.push(event);
    for (const link of links.values()) this.#linkChanged(link);
    for (const link of this.#links.values()) if (!links.has(link.index)) this.#linkRemoved(link);
    for (const address of addresses.values()) this.#addressAdded(address);
    for (const [key, address] of this.#addresses) if (!addresses.has(key)) this.#addressRemoved(address);
    this.#tell = tellAtOnce;
    for (const event of events) event();
  }

  #take(message: ReceivedMessage): void {
    if (message.type === messageType.newLink || message.type === messageType.deleteLink) {
      const link = parseLink(message.body);
      if (link === undefined) return;
      if (message.type === messageType.newLink) this.#linkChanged(link);
      else this.#linkRemoved(link);
    } else if (message.type === messageType.newAddress || message.type === messageType.deleteAddress) {
      const address = parseAddress(message.body);
      if (address === undefined) return;
      if (message.type === messageType.newAddress) this.#addressAdded(address);
      else this.#addressRemoved(address);
    }
    if (message.type === messageType.deleteRoute) {
      const route = this.#removedByOthers(message, this.#routes);
      if (route !== undefined) this.#watcher?.routeRemoved(route);
    } else if (message.type === messageType.deleteRule) {
      const rule = this.#removedByOthers(message, this.#rules);
      if (rule !== undefined) this.#watcher?.ruleRemoved(rule);
    }
  }

  /** Nobody knows what was removed meanwhile: who set routes and rules sets all of them again. */
  #eventsLost(): void {
    this.#lookAgain();
    for (const words of this.#routes.takeAll()) this.#watcher?.routeRemoved(words);
    for (const words of this.#rules.takeAll()) this.#watcher?.ruleRemoved(words);
  }

  /** What was removed here was forgotten before, and may have been set again by now. */
  #removedByOthers(message: ReceivedMessage, kept: KeptWords): readonly string[] | undefined {
    return message.port === this.#requester.port ? undefined : kept.removed(message.body);
  }

  #linkChanged(link: Link): void {
    const before = this.#links.get(link.index);
    this.#links.set(link.index, link);
    if (before === undefined || !sameLink(before, link)) this.#tell(() => this.#watcher?.linkChanged(link));
  }

  #linkRemoved(link: Link): void {
    if (this.#links.delete(link.index)) this.#tell(() => this.#watcher?.linkRemoved(link));
  }

  #addressAdded(address: LinkAddress): void {
    const key = addressKey(address);
    const before = this.#addresses.get(key);
    this.#addresses.set(key, address);
    if (before === undefined || before.tentative !== address.tentative)
      this.#tell(() => this.#watcher?.addressAdded(address));
  }

  #addressRemoved(address: LinkAddress): void {
    if (this.#addresses.delete(addressKey(address))) this.#tell(() => this.#watcher?.addressRemoved(address));
  }
}

function tellAtOnce(event: () => void): void {
  event();
}

function parameterPath(family: IpFamily, interfaceName: string, parameter: string): string {
  return `/proc/sys/net/${family}/conf/${interfaceName}/${parameter}`;
}

function readParameter(family: IpFamily, interfaceName: string, parameter: string): number | undefined {
  try {
    return Number(readFileSync(parameterPath(family, interfaceName, parameter), 'utf8'));
  } catch {
    return undefined;
  }
}

function addressKey(address: LinkAddress): string {
  return `${address.interfaceIndex} ${address.address}/${address.prefix}`;
}

function sameLink(a: Link, b: Link): boolean {
  return (
    a.name === b.name &&
    a.up === b.up &&
    a.running === b.running &&
    a.multicast === b.multicast &&
    a.mtu === b.mtu &&
    a.hardwareAddress.length === b.hardwareAddress.length &&
    a.hardwareAddress.every((byte, index) => byte === b.hardwareAddress[index])
  );
}
