/** A macvlan, of `use_vmac` or of single addresses: made when its base interface is there, removed at the end. */
import type { IpFamily } from '../../core/address.ts';
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Firewall, SharedLink } from '../ports/firewall.ts';
import type { Link, Links, VmacOptions } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

export interface VirtualLinkWish {
  readonly name: string;
  readonly family: IpFamily;
  /** Six octets with colons. */
  readonly macAddress: string;
  readonly options?: VmacOptions;
}

export class VirtualLink {
  readonly #links: Links;
  readonly #journal: Journal;
  readonly #firewall: Firewall | undefined;
  readonly #router: () => string;
  #made: { readonly link: Link; readonly baseIndex: number; readonly shared: SharedLink } | undefined;
  #failed = false;

  /** @param router whose name stands before what is said. */
  constructor(links: Links, journal: Journal, firewall: Firewall | undefined, router: () => string) {
    this.#links = links;
    this.#firewall = firewall;
    this.#journal = journal;
    this.#router = router;
  }

  get link(): Link | undefined {
    return this.#made?.link;
  }

  /**
   * The macvlan over `base`, made now if need be; undefined when it can't be made.
   * @param source our own address on the base interface: over IPv6 the macvlan needs it too, since a socket can only send from what it has.
   */
  over(base: Link, wish: VirtualLinkWish, source: string | undefined): Link | undefined {
    const { name, family } = wish;
    if (this.#made?.baseIndex === base.index && this.#links.link(this.#made.link.name) !== undefined)
      return this.#made.link;
    const hardwareAddress = Uint8Array.from(wish.macAddress.split(':'), (octet) => Number.parseInt(octet, 16));
    const made = this.#links.createVmac(base, name, hardwareAddress, wish.options ?? {});
    if ('failure' in made) {
      if (!this.#failed)
        this.#journal.log('err', `(${this.#router()}) cannot make the macvlan ${name}: ${made.failure}`);
      this.#failed = true;
      return undefined;
    }
    this.#failed = false;
    const shared = { family, interfaceIndex: made.link.index, baseIndex: base.index };
    if (this.#made !== undefined) this.#firewall?.unsilence(this.#made.shared);
    this.#made = { link: made.link, baseIndex: base.index, shared };
    // Before it has any address or group that the kernel would tell of.
    const loud = this.#firewall?.silence(shared);
    if (loud !== undefined)
      this.#journal.log(
        'warning',
        `(${this.#router()}) as backup it may draw the active router's traffic (multicast reports on ${name}): nf_tables says ${loud}`,
      );
    if (family === 'ipv6' && source !== undefined)
      this.#links.addAddress({
        interfaceIndex: made.link.index,
        family: 'ipv6',
        address: source,
        prefix: 64,
        label: undefined,
        scope: 'link',
        broadcast: undefined,
        peer: undefined,
        home: false,
        noPrefixRoute: true,
        lifetimeSeconds: undefined,
        deprecated: false,
      });
    return made.link;
  }

  remove(): void {
    if (this.#made === undefined) return;
    this.#links.removeLink(this.#made.link.index);
    this.#firewall?.unsilence(this.#made.shared);
    this.#made = undefined;
  }
}

/** Of `use_vmac`; undefined without. */
export function ownVirtualLink({ vmac, family }: VirtualRouterSettings): VirtualLinkWish | undefined {
  if (vmac === undefined) return undefined;
  const { name, macAddress, group, tellsOfBase } = vmac;
  const options = { ...(group === undefined ? {} : { group }), ...(tellsOfBase === true ? { tellOfBase: true } : {}) };
  return { name, family, macAddress, options };
}
