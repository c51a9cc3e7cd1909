/** Where a step happens: `active`, `servers`, a name … as hosts. Pure. */
import type { Topology } from './topology.ts';

/** What is known when a step is about to happen. */
export interface TargetWorld {
  readonly topology: Topology;
  /** Nodes that hold the address now; empty when nobody does. */
  readonly active: readonly string[];
  /** Who should hold it when all is well. */
  readonly preferred: string;
}

/** Names of nodes or servers. Throws RangeError for a name that nobody has. */
export function targetsOf(on: string, { topology, active, preferred }: TargetWorld): readonly string[] {
  const nodes = topology.nodes.map(({ name }) => name);
  const servers = serverNames(topology);
  switch (on) {
    case 'active':
      return active.length > 0 ? active.slice(0, 1) : [preferred];
    case 'preferred':
      return [preferred];
    case 'standby':
      return nodes.filter((node) => node !== (active[0] ?? preferred)).slice(0, 1);
    case 'all':
      return nodes;
    case 'server':
      return servers.slice(0, 1);
    case 'servers':
      return servers;
    case 'client':
      return ['client'];
    default:
      if (nodes.includes(on) || servers.includes(on)) return [on];
      throw new RangeError(`no node and no server is called "${on}" (${[...nodes, ...servers].join(', ')})`);
  }
}

/** The servers behind the probed frontend, by the name that they give themselves; a host with several has its first one's. */
export function serverNames({ servers, localServers }: Topology): readonly string[] {
  return [...servers.map(({ name }) => name), ...localServers];
}
