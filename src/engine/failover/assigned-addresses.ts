/** Addresses of this host: those that are nobody's own, and those that the routers' interfaces have already. */
import type { VrrpPlan } from '../../plan/vrrp.ts';
import type { Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';

export function isVirtualAddress({ routers }: VrrpPlan, address: string): boolean {
  return routers.some(({ settings }) =>
    [...settings.addresses, ...settings.excludedAddresses].some((virtual) => virtual.address === address),
  );
}

/** Said at the start. */
export function tellAddresses(plan: VrrpPlan, links: Links, journal: Journal): void {
  const interfaces = new Set(plan.routers.map(({ settings }) => settings.interface));
  for (const link of links.links())
    for (const { address, interfaceIndex } of links.addresses())
      if (interfaceIndex === link.index && interfaces.has(link.name))
        journal.detail(`Assigned address ${address} for interface ${link.name}`);
}
