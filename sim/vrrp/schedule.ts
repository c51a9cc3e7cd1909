/** A schedule: the nodes, their network, and a timed list of faults. Plain data, so that a failing one can be printed, shrunk and kept. */

export interface Schedule {
  /** For the network's chance. */
  readonly seed: number;
  readonly durationMs: number;
  readonly nodes: readonly NodePlan[];
  /** Members of a sync group on every node, each on an interface of its own. Absent: one virtual router, no group. */
  readonly grouped?: number;
  readonly network: NetworkPlan;
  readonly faults: readonly Fault[];
}

/** What of the settings differs from node to node; the rest is the seed's instance. */
export interface NodePlan {
  readonly priority: number;
  readonly version: 2 | 3;
  readonly intervalMs: number;
  readonly preempt: boolean;
  readonly preemptDelayMs: number;
  /** A foreign implementation: waits out its skew after priority 0, says no last word, has no leased addresses. */
  readonly foreign: boolean;
}

export interface NetworkPlan {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Messages may overtake each other. */
  readonly reorders: boolean;
  readonly duplicates: number; // probability
  /** BFD between the nodes, as an oracle: a lost node is noticed after this long; 0 = none. */
  readonly bfdMs: number;
  /** The daemon's own BFD sessions between nodes that are not foreign. Absent: none. */
  readonly bfdSessions?: boolean;
  /** How the routers talk. Absent: multicast, IPv4. */
  readonly unicast?: boolean;
  readonly family?: 'ipv4' | 'ipv6';
}

export type Fault =
  | { readonly at: number; readonly kind: 'crash' | 'kill' | 'restart' | 'stop'; readonly node: number }
  /** `router`: of that member of the sync group only. */
  | {
      readonly at: number;
      readonly kind: 'link';
      readonly node: number;
      readonly up: boolean;
      readonly router?: number;
    }
  | { readonly at: number; readonly kind: 'serving'; readonly node: number; readonly serving: boolean }
  | { readonly at: number; readonly kind: 'handover' | 'resume'; readonly node: number }
  | { readonly at: number; readonly kind: 'priority'; readonly node: number; readonly change: number }
  | {
      readonly at: number;
      readonly kind: 'script';
      readonly node: number;
      readonly well: boolean;
      readonly router?: number;
    }
  | { readonly at: number; readonly kind: 'reload'; readonly node: number; readonly plan: NodePlan }
  | { readonly at: number; readonly kind: 'stall'; readonly node: number; readonly forMs: number }
  /** The machine that all nodes run on stands still: everybody's processes, and nothing is sent. */
  | { readonly at: number; readonly kind: 'pause'; readonly forMs: number }
  /** A message that must be ignored, for the reason that it carries. */
  | {
      readonly at: number;
      readonly kind: 'forged';
      readonly node: number;
      readonly priority: number;
      readonly flaw: ForgedFlaw;
    }
  | { readonly at: number; readonly kind: 'peer-lost'; readonly node: number; readonly peer: number }
  | { readonly at: number; readonly kind: 'address-lost'; readonly node: number }
  /** Messages from `from` no longer reach `to`. */
  | { readonly at: number; readonly kind: 'cut'; readonly from: number; readonly to: number }
  | { readonly at: number; readonly kind: 'mend' }
  | { readonly at: number; readonly kind: 'loss'; readonly probability: number };

/** From far away, from a stranger, to the group where peers are named or the other way round, for another router. */
export type ForgedFlaw = 'ttl' | 'source' | 'cast' | 'router-id';
