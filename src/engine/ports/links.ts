/** Interfaces, addresses, routes and rules of the host. */
import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** Up with carrier (IFF_RUNNING): frames can pass. */
  readonly running: boolean;
  readonly multicast: boolean;
  /** Length 6 on Ethernet, 0 on links without. */
  readonly hardwareAddress: Uint8Array;
  readonly mtu: number;
}

export interface LinkAddress {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly address: string;
  readonly prefix: number;
  /** ip-address(8)'s number: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** IPv6 duplicate detection still runs: not usable yet. */
  readonly tentative: boolean;
}

/** What is to stand on an interface; the words of ip-address(8). */
export interface AddressRequest {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly address: string;
  readonly prefix: number;
  readonly label: string | undefined;
  readonly scope: string | undefined;
  readonly broadcast: string | undefined;
  readonly peer: string | undefined;
  readonly home: boolean;
  readonly noPrefixRoute: boolean;
  /**
   * Seconds after which the kernel removes the address by itself unless it is renewed (added again); undefined = it stays.
   * IPv6 addresses get this as valid lifetime and, so that they aren't chosen as source, preferred lifetime 0 when `deprecated`.
   */
  readonly lifetimeSeconds: number | undefined;
  readonly deprecated: boolean;
  /** Preferred lifetime where it is neither 0 (`deprecated`) nor the valid one. */
  readonly preferredSeconds?: number;
  /** ip-address(8)'s `mngtmpaddr` and `autojoin`. */
  readonly manageTemporary?: boolean;
  readonly autojoin?: boolean;
}

export interface LinkWatcher {
  /** A link appeared or changed. */
  linkChanged(link: Link): void;
  linkRemoved(link: Link): void;
  addressAdded(address: LinkAddress): void;
  /** @param own removed by this daemon; absent: not known, or by somebody else. */
  addressRemoved(address: LinkAddress, own?: boolean): void;
  /** Somebody else removed, or the kernel by itself, what `addRoute` or `addRule` set with this very list of words. */
  routeRemoved(words: readonly string[]): void;
  ruleRemoved(words: readonly string[]): void;
}

export interface VmacOptions {
  /** Its interface group (ip-link(8)); undefined: that of `base`, so that a firewall's rules for the group hold for it too. */
  readonly group?: number;
  /** Has the kernel tell everybody of `base`, whose promiscuity it may have changed without a word. */
  readonly tellOfBase?: boolean;
}

/** Interfaces, addresses, routes: what `ip` shows and changes. Changes are done when the call returns. */
export interface Links {
  links(): readonly Link[];
  link(name: string): Link | undefined;
  addresses(): readonly LinkAddress[];
  /** Every later change by anyone, ourselves included. One watcher. */
  watch(watcher: LinkWatcher): void;
  addAddress(request: AddressRequest): SystemFailure;
  removeAddress(request: AddressRequest): SystemFailure;
  /** `words` as after `ip route add` or `ip rule add`. Adding what exists and removing what is gone is success. */
  addRoute(words: readonly string[], family: IpFamily): SystemFailure;
  removeRoute(words: readonly string[], family: IpFamily): SystemFailure;
  addRule(words: readonly string[], family: IpFamily): SystemFailure;
  removeRule(words: readonly string[], family: IpFamily): SystemFailure;
  /** Makes a macvlan over `base` with this hardware address, private mode, up, set so that ARP for its addresses works (`use_vmac`). */
  createVmac(
    base: Link,
    name: string,
    hardwareAddress: Uint8Array,
    options?: VmacOptions,
  ): { readonly link: Link } | { readonly failure: string };
  removeLink(index: number): SystemFailure;
  /**
   * Asks at once for every hardware address on that interface that was asked for without an answer; what waits for one goes on waiting.
   * Addresses that are known, or set by hand, are left alone.
   */
  askNeighbours(interfaceIndex: number): SystemFailure;
  /** Reads /proc/sys/net/FAMILY/conf/INTERFACE/NAME; undefined where there is none. */
  parameter(family: IpFamily, interfaceName: string, parameter: string): number | undefined;
  /** Writes /proc/sys/net/FAMILY/conf/INTERFACE/NAME; the answer is the old value, or undefined where there is none. */
  setParameter(family: IpFamily, interfaceName: string, parameter: string, value: number): number | undefined;
}
