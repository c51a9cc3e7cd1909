/**
 * Which macvlans there are and what they are called, once all routers are known: those of `use_vmac`, and those of single addresses
 * (`use_vmac` on their line, or `use_vmac_addr`). As Keepalived 2.2.7 does it, where the manual says otherwise too.
 */
import { type Entry, entriesOf, has, lastOf, nameOf, textOf } from '../config/keepalived/config.ts';
import type { IpFamily } from '../core/address.ts';
import type { VirtualAddress, VirtualRouterSettings } from '../core/vrrp/settings.ts';
import type { AddressVmacPlan, VirtualRouterPlan } from './vrrp.ts';
import type { PlanContext } from './vrrp-context.ts';
import { virtualMacAddress } from './vrrp-vmac.ts';

export function withVmacs(routers: readonly VirtualRouterPlan[], context: PlanContext): VirtualRouterPlan[] {
  const names = new VmacNames(routers);
  const prefix = textOf(context.global, 'vmac_prefix') ?? 'vrrp';
  const addressPrefix = textOf(context.global, 'vmac_addr_prefix') ?? prefix;
  const used = new Map<string, string>();
  for (const { settings } of routers)
    if (settings.vmac !== undefined) used.set(`${settings.interface} ${settings.vmac.macAddress}`, settings.name);
  return routers.map((router) => {
    const { settings } = router;
    const { family, virtualRouterId } = settings;
    const vmac =
      settings.vmac === undefined
        ? undefined
        : { ...settings.vmac, name: settings.vmac.name || names.next(prefix, family, virtualRouterId) };
    const entry = entriesOf(context.entries, 'vrrp_instance').find((each) => nameOf(each) === settings.name)!;
    const places = new Places({ ...settings, vmac }, entry, context, (of) =>
      names.next(addressPrefix, of, virtualRouterId),
    );
    const addresses = settings.addresses.map((address) => places.place(address));
    const excludedAddresses = settings.excludedAddresses.map((address) => places.place(address));
    for (const each of places.vmacs) refuseTaken(each, entry, used, context);
    return {
      ...router,
      settings: { ...settings, vmac, addresses, excludedAddresses },
      ...(places.vmacs.length === 0 ? {} : { addressVmacs: places.vmacs }),
    };
  });
}

/** One interface has one macvlan with a hardware address; Keepalived disables one of the routers. */
function refuseTaken(wanted: AddressVmacPlan, entry: Entry, used: Map<string, string>, context: PlanContext): void {
  const key = `${wanted.interface} ${wanted.macAddress}`;
  const other = used.get(key);
  if (other !== undefined)
    context.alert(
      'conflict',
      (lastOf(entry.entries, 'use_vmac_addr') ?? entry).place,
      `(${nameOf(entry)}) an address on ${wanted.interface} needs the macvlan of (${other}) there`,
      `write the address in (${other}), or give the routers different virtual router ids`,
    );
  used.set(key, nameOf(entry));
}

/** PREFIX.VRID; where that one is taken PREFIX6.VRID for IPv6, and then PREFIX1.VRID and so on. */
class VmacNames {
  readonly #taken: Set<string>;

  constructor(routers: readonly VirtualRouterPlan[]) {
    this.#taken = new Set(routers.flatMap(({ settings }) => settings.vmac?.name || []));
  }

  next(prefix: string, family: IpFamily, virtualRouterId: number): string {
    const first = family === 'ipv6' ? ['', '6'] : [''];
    for (let number = 1; ; number++) {
      for (const infix of [...first.splice(0), String(number)]) {
        const name = `${prefix}${infix}.${virtualRouterId}`;
        if (this.#taken.has(name)) continue;
        this.#taken.add(name);
        return name;
      }
    }
  }
}

class Places {
  readonly vmacs: AddressVmacPlan[] = [];
  readonly #settings: VirtualRouterSettings;
  readonly #entry: Entry;
  readonly #context: PlanContext;
  readonly #nextName: (family: IpFamily) => string;
  readonly #forOthers: boolean;

  constructor(
    settings: VirtualRouterSettings,
    entry: Entry,
    context: PlanContext,
    nextName: (family: IpFamily) => string,
  ) {
    this.#settings = settings;
    this.#entry = entry;
    this.#context = context;
    this.#nextName = nextName;
    this.#forOthers = has(entry.entries, 'use_vmac_addr');
  }

  /** The address with the interface that it goes to; none is the router's own, its macvlan where it has one. */
  place(address: VirtualAddress): VirtualAddress {
    const { interface: own, vmac, family, virtualRouterId } = this.#settings;
    const isOther = address.family !== family || (address.device !== undefined && address.device !== own);
    const wanted = address.onVmac === true || (this.#forOthers && isOther);
    const { onVmac: _, ...plain } = address;
    // Of the other family, it stays where its hardware address is right.
    if (!wanted)
      return vmac === undefined ? plain : { ...plain, device: isOther ? (address.device ?? own) : undefined };
    const base = address.device ?? own;
    // One that the configuration names is for both families.
    const usual = virtualMacAddress(family, virtualRouterId);
    const named = vmac !== undefined && vmac.macAddress !== usual ? vmac.macAddress : undefined;
    const macAddress = named ?? virtualMacAddress(address.family, virtualRouterId);
    if (base === own && macAddress === vmac?.macAddress) return { ...plain, device: undefined };
    if (base === '') {
      this.#context.warn(
        'conflict',
        (lastOf(this.#entry.entries, 'use_vmac_addr') ?? this.#entry).place,
        `(${nameOf(this.#entry)}) ${address.address}: use_vmac needs an interface: it is ignored`,
        'write dev INTERFACE',
      );
      return { ...plain, device: undefined };
    }
    let place = this.vmacs.find((each) => each.interface === base && each.macAddress === macAddress);
    if (place === undefined) {
      place = { name: this.#nextName(address.family), interface: base, family: address.family, macAddress };
      this.vmacs.push(place);
    }
    return { ...plain, device: place.name, onVmac: true };
  }
}
