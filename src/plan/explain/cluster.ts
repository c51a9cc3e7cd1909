/**
 * Several nodes' plans as one cluster: which instances of which files are one virtual router, and from which address each sends.
 */

import { type Entry, entriesOf, type KeepalivedConfig, nameOf } from '../../config/keepalived/config.ts';
import type { VirtualRouterPlan, VrrpPlan } from '../vrrp.ts';

/** One node's file. The config is only asked for places. */
export interface NodeFile {
  /** How the node is called on the page: short, unlike the others'. */
  readonly name: string;
  readonly file: string;
  readonly plan: VrrpPlan;
  readonly config: KeepalivedConfig;
}

/** A node's share in a virtual router. */
export interface Member {
  readonly node: NodeFile;
  readonly router: VirtualRouterPlan;
  /** Its vrrp_instance block. */
  readonly entry: Entry;
  /** The address it sends from; a made-up one where the files don't tell. */
  readonly source: string;
  readonly sourceKnown: boolean;
}

/** One virtual router with at most one member of each node, in the order of the files. */
export interface VirtualRouter {
  readonly name: string;
  readonly members: readonly Member[];
}

export interface Cluster {
  readonly nodes: readonly NodeFile[];
  readonly routers: readonly VirtualRouter[];
}

type Share = Omit<Member, 'source' | 'sourceKnown'>;

/**
 * Instances belong together by VRID and address, else by VRID, else by address, else by name: so that a mistake in one of them is
 * told as a difference and not as two routers without partner.
 */
export function buildCluster(nodes: readonly NodeFile[]): Cluster {
  let groups: readonly (readonly Share[])[] = nodes.flatMap((node) =>
    node.plan.routers.map((router) => [{ node, router, entry: instanceEntry(node, router) }]),
  );
  for (const alike of likenesses) groups = merged(groups, alike);
  return { nodes, routers: groups.map((shares) => ({ name: routerName(shares), members: shares.map(withSource) })) };
}

const likenesses: readonly ((a: VirtualRouterPlan, b: VirtualRouterPlan) => boolean)[] = [
  (a, b) => sameId(a, b) && shareAddress(a, b),
  sameId,
  shareAddress,
  (a, b) => a.settings.name === b.settings.name,
];

function sameId({ settings: a }: VirtualRouterPlan, { settings: b }: VirtualRouterPlan): boolean {
  return a.virtualRouterId === b.virtualRouterId && a.family === b.family;
}

function shareAddress({ settings: a }: VirtualRouterPlan, { settings: b }: VirtualRouterPlan): boolean {
  return a.addresses.some(({ address }) => b.addresses.some((other) => other.address === address));
}

function merged(
  groups: readonly (readonly Share[])[],
  alike: (a: VirtualRouterPlan, b: VirtualRouterPlan) => boolean,
): Share[][] {
  const result: Share[][] = [];
  for (const group of groups) {
    const home = result.find(
      (other) =>
        !other.some((share) => group.some(({ node }) => node === share.node)) &&
        other.some((share) => group.some(({ router }) => alike(share.router, router))),
    );
    if (home === undefined) result.push([...group]);
    else home.push(...group);
  }
  return result;
}

export function instanceEntry(node: NodeFile, router: VirtualRouterPlan): Entry {
  return entriesOf(node.config.entries, 'vrrp_instance').find((entry) => nameOf(entry) === router.settings.name)!;
}

function routerName(shares: readonly Share[]): string {
  return [...new Set(shares.map(({ router }) => router.settings.name))].join(' / ');
}

/** From documentation's networks (RFC 5737, RFC 3849), in the order of the files. */
function madeUp(family: 'ipv4' | 'ipv6', index: number): string {
  return family === 'ipv4' ? `192.0.2.${index + 1}` : `fe80::${index + 1}`;
}

/** As written, or the peer that the others name and that is nobody else. */
function withSource(share: Share, index: number, shares: readonly Share[]): Member {
  const { transport, family } = share.router.settings;
  const written = transport.source;
  if (written !== undefined) return { ...share, source: written, sourceKnown: true };
  const own = new Set(peersOf(share));
  const named = shares.filter((other) => other !== share).flatMap(peersOf);
  const taken = shares.map(({ router }) => router.settings.transport.source);
  const guess = named.find((address) => !own.has(address) && !taken.includes(address));
  return { ...share, source: guess ?? madeUp(family, index), sourceKnown: guess !== undefined };
}

function peersOf({ router }: Share): string[] {
  const { transport } = router.settings;
  return transport.kind === 'unicast' ? transport.peers.map(({ address }) => address) : [];
}
