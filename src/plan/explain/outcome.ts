/** Who is active in a situation, why, and after how long: `election` asked for a whole cluster, files that can't hear each other included. */

import { type ElectionNode, elect, isAble, takeOver, whyUnheard } from '../../core/vrrp/election.ts';
import { compareContenders } from '../../core/vrrp/order.ts';
import type { Member, VirtualRouter } from './cluster.ts';
import { type Condition, electionNode, type Standing, settingsIn, type World } from './situation.ts';
import type { Noticed } from './trackers.ts';

export interface Outcome {
  /** Nodes that are active once it has settled: one, none, or more where they can't hear each other. */
  readonly active: readonly string[];
  /** Others that could be instead, depending on what was before. */
  readonly instead: readonly string[];
  readonly why: string;
  /** From the failure until it has settled; both 0 where nobody changes. */
  readonly minMs: number;
  readonly maxMs: number;
  /** How maxMs comes about; empty where nothing has to be waited for. */
  readonly formula: string;
  readonly changed: boolean;
  /** The address is held in front of a balancer that is dead. */
  readonly deadHolder: boolean;
}

/** For each pair why the second ignores what the first says; no entry: it listens. */
export type Deafness = ReadonlyMap<Member, ReadonlyMap<Member, string>>;

export function deafnessOf({ members }: VirtualRouter, world: World): Deafness {
  const deafness = new Map<Member, Map<Member, string>>();
  for (const from of members)
    for (const to of members) {
      if (from === to) continue;
      const reason = whyUnheard(party(from, world), party(to, world));
      if (reason === undefined) continue;
      const known = deafness.get(from) ?? new Map<Member, string>();
      deafness.set(from, known.set(to, reason));
    }
  return deafness;
}

function party({ router, source }: Member, world: World) {
  return { settings: settingsIn(world, router.settings), source };
}

/** The situation that `conditions` (one for each member) lead to, from normal operation, where `before` was active. */
export function settle(
  router: VirtualRouter,
  conditions: readonly Condition[],
  world: World,
  normal: readonly Condition[],
  before: string | undefined,
  deafness: Deafness,
): Outcome {
  const standings = conditions.map(({ standing }) => standing[world]);
  const nodes = router.members.map((member, index) => electionNode(member, standings[index]!, world));
  const holdsDead = (active: readonly string[]) =>
    router.members.some(({ node }, index) => active.includes(node.name) && standings[index]!.balancerDead);
  if (deafness.size > 0) {
    const active = activeOnes(router.members, nodes, deafness);
    const why = active.length > 1 ? 'they do not hear each other' : 'nobody else is able';
    const changed = before === undefined || !active.includes(before);
    return { ...unchanged, active, instead: [], why, changed, deadHolder: holdsDead(active) };
  }
  if (before === undefined) {
    const { active, possible } = elect(nodes, undefined);
    const names = active === undefined ? [] : [active];
    const instead = possible.filter((name) => name !== active);
    return { ...unchanged, active: names, instead, why: '', changed: false, deadHolder: holdsDead(names) };
  }
  const at = router.members.findIndex(({ node }) => node.name === before);
  const step = takeOver(nodes, before, standings[at]!.orderly);
  const active = step.active === undefined ? [] : [step.active];
  const noticed = detection(conditions, normal, at, world);
  const changed = step.kind !== 'stays';
  const moved = changed && step.kind !== 'nobody';
  return {
    active,
    instead: moved ? step.possible.filter((name) => name !== step.active) : [],
    why: reason(step.kind, nodes, before, step.active, standings[at]!),
    minMs: moved ? noticed.minMs + step.minMs : 0,
    maxMs: moved ? noticed.maxMs + step.maxMs : 0,
    formula: moved ? [noticed.formula, step.formula].filter((part) => part !== '').join(' + ') : '',
    changed,
    deadHolder: holdsDead(active),
  };
}

const unchanged = { minMs: 0, maxMs: 0, formula: '' };

/** What the change waits for: the old active's own trouble, or where it has none the slowest of the others'. */
function detection(conditions: readonly Condition[], normal: readonly Condition[], at: number, world: World): Noticed {
  if (conditions[at] !== normal[at]) return conditions[at]!.standing[world].noticed;
  return conditions
    .map(({ standing }) => standing[world].noticed)
    .reduce((slowest, each) => (each.maxMs > slowest.maxMs ? each : slowest));
}

/** Without preemption's history: from the best to the worst, whoever hears no active one that is better. */
function activeOnes(members: readonly Member[], nodes: readonly ElectionNode[], deafness: Deafness): string[] {
  const ranked = nodes
    .map((node, index) => ({ node, member: members[index]! }))
    .filter(({ node }) => isAble(node))
    .sort((a, b) => compareContenders(contender(b.node), contender(a.node)));
  const active: typeof ranked = [];
  for (const each of ranked)
    if (active.every((better) => deafness.get(better.member)?.has(each.member))) active.push(each);
  return active.map(({ node }) => node.name);
}

function contender({ tracking, source }: ElectionNode) {
  return { priority: tracking.priority, source };
}

function reason(
  kind: 'stays' | 'resigned' | 'silent' | 'outranked' | 'nobody',
  nodes: readonly ElectionNode[],
  before: string,
  after: string | undefined,
  standing: Standing,
): string {
  const priority = (name: string | undefined) => nodes.find((node) => node.name === name)?.tracking.priority ?? 0;
  switch (kind) {
    case 'stays': {
      const rivals = nodes.filter((node) => node.name !== before && isAble(node));
      const best = Math.max(0, ...rivals.map(({ tracking }) => tracking.priority));
      if (rivals.length === 0) return 'nobody else is able';
      if (best > priority(before)) return `${best} > ${priority(before)}, but nopreempt holds it back`;
      return `${priority(before)} ${best === priority(before) ? '=' : '>'} ${best}`;
    }
    case 'outranked':
      return `${priority(after)} > ${priority(before)}`;
    case 'resigned':
      return `${before} says priority 0${standing.serving ? '' : ': it does not serve'}`;
    case 'silent':
      return `${before} is not heard any more`;
    case 'nobody':
      return 'nobody is able';
  }
}
