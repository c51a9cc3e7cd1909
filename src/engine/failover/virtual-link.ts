/** The macvlan of `use_vmac`: made when its base interface is there, removed at the end. */
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Firewall, SharedLink } from '../ports/firewall.ts';
import type { Link, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

export class VirtualLink {
  readonly #links: Links;
  readonly #journal: Journal;
  readonly #firewall: Firewall | undefined;
  #made: { readonly link: Link; readonly baseIndex: number; readonly shared: SharedLink } | undefined;
  #failed = false;

  constructor(links: Links, journal: Journal, firewall: Firewall | undefined) {
    this.#links = links;
    this.#firewall = firewall;
    this.#journal = journal;
  }

  get link(): Link | undefined {
    return this.#made?.link;
  }

  /**
   * The macvlan over `base`, made now if need be; undefined when the router has none or it can't be made.
   * @param source our address on the base interface: over IPv6 the macvlan needs it too, since a socket can only send from what it has.
   */
  over(base: Link, settings: VirtualRouterSettings, source: string): Link | undefined {
    if (settings.vmac === undefined) return undefined;
    if (this.#made?.baseIndex === base.index && this.#links.link(this.#made.link.name) !== undefined)
      return this.#made.link;
    const name = settings.vmac.name ?? `vrrp${settings.family === 'ipv6' ? '6' : ''}.${settings.virtualRouterId}`;
    const made = this.#links.createVmac(base, name, hardwareAddress(settings));
    if ('failure' in made) {
      if (!this.#failed)
        this.#journal.log('err', `(${settings.name}) cannot make the macvlan ${name}: ${made.failure}`);
      this.#failed = true;
      return undefined;
    }
    this.#failed = false;
    const shared = { family: settings.family, interfaceIndex: made.link.index, baseIndex: base.index };
    if (this.#made !== undefined) this.#firewall?.unsilence(this.#made.shared);
    this.#made = { link: made.link, baseIndex: base.index, shared };
    // Before it has any address or group that the kernel would tell of.
    const loud = this.#firewall?.silence(shared);
    if (loud !== undefined)
      this.#journal.log(
        'warning',
        `(${settings.name}) as backup it may draw the active router's traffic (multicast reports on ${name}): nf_tables says ${loud}`,
      );
    if (settings.family === 'ipv6')
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

/** RFC 9568 §7.3, unless the configuration names another. */
function hardwareAddress(settings: VirtualRouterSettings): Uint8Array {
  const configured = settings.vmac?.macAddress;
  if (configured !== undefined) return Uint8Array.from(configured.split(':'), (octet) => Number.parseInt(octet, 16));
  return Uint8Array.of(0, 0, 0x5e, 0, settings.family === 'ipv4' ? 1 : 2, settings.virtualRouterId);
}
