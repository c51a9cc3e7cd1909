/** The macvlan of `use_vmac`: made when its base interface is there, removed at the end. */
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Link, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

export class VirtualLink {
  readonly #links: Links;
  readonly #journal: Journal;
  #made: { readonly link: Link; readonly baseIndex: number } | undefined;
  #failed = false;

  constructor(links: Links, journal: Journal) {
    this.#links = links;
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
    this.#made = { link: made.link, baseIndex: base.index };
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
    if (this.#made !== undefined) this.#links.removeLink(this.#made.link.index);
    this.#made = undefined;
  }
}

/** RFC 9568 §7.3, unless the configuration names another. */
function hardwareAddress(settings: VirtualRouterSettings): Uint8Array {
  const configured = settings.vmac?.macAddress;
  if (configured !== undefined) return Uint8Array.from(configured.split(':'), (octet) => Number.parseInt(octet, 16));
  return Uint8Array.of(0, 0, 0x5e, 0, settings.family === 'ipv4' ? 1 : 2, settings.virtualRouterId);
}
