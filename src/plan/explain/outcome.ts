/** Who is active in a situation, why, and after how long: `election` asked for a whole cluster, files that can't hear each other included. */

import { peerPaceMs } from '../../core/bfd/pace.ts';
import { peerBfd } from '../../core/limits.ts';
import {
  type ElectionNode,
  elect,
  intervalHeard,
  isAble,
  type TakeOver,
  takeOver,
  whyUnheard,
} from '../../core/vrrp/election.ts';
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
  /** The same where both ends are Evergate's and watch each other by BFD. Absent: nothing that a session would notice sooner. */
  readonly watched?: Time;
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
  const alone = conditions.every((condition, index) => (index === at) === (condition !== normal[index]));
  const active = step.active === undefined ? [] : [step.active];
  const changed = step.kind !== 'stays';
  const moved = changed && step.kind !== 'nobody';
  return {
    active,
    instead: moved ? step.possible.filter((name) => name !== step.active) : [],
    why: reason(step.kind, nodes, before, step.active, standings[at]!),
    ...timeOf(step, conditions, normal, at, nodes, world),
    ...(alone && world === 'evergate' ? watchedTime(step, nodes, before) : {}),
    changed,
    deadHolder: holdsDead(active),
  };
}

/** A span of milliseconds and how its end comes about. */
export interface Time {
  readonly minMs: number;
  readonly maxMs: number;
  readonly formula: string;
}

const unchanged: Time = { minMs: 0, maxMs: 0, formula: '' };

/**
 * One node in trouble: its trouble is noticed, then the others act. Several, the active one among them: each is noticed at its own time,
 * and whoever took over meanwhile may have to give up again, so the last one noticed and the longest step are the bound.
 */
function timeOf(
  step: TakeOver,
  conditions: readonly Condition[],
  normal: readonly Condition[],
  at: number,
  nodes: readonly ElectionNode[],
  world: World,
): Time {
  const troubled = conditions.filter((condition, index) => condition !== normal[index]);
  const slowest = troubled
    .map(({ standing }) => standing[world].noticed)
    .reduce<Noticed>((slow, each) => (each.maxMs > slow.maxMs ? each : slow), unchanged);
  const several = troubled.length > 1 && conditions[at] !== normal[at];
  if (step.kind === 'stays' && !several) return unchanged;
  if (step.kind === 'nobody' && !several) return { ...slowest, minMs: 0 };
  const steps = several ? [step, ...nodes.map(({ name }) => takeOver(nodes, name))] : [step];
  const longest = steps.reduce((long, each) => (each.maxMs > long.maxMs ? each : long));
  // The last one's preempt_delay may begin only when another one has taken over; other timers have been running meanwhile.
  const last = nodes.find(({ name }) => name === step.active);
  const first = several && last !== undefined && last.settings.preemptDelayMs > 0 ? [step] : [];
  const parts = [slowest, ...first, longest].filter(({ maxMs }) => maxMs > 0);
  return {
    minMs: several ? 0 : slowest.minMs + step.minMs,
    maxMs: parts.reduce((sum, { maxMs }) => sum + maxMs, 0),
    formula: parts.map(({ formula }) => formula).join(' + '),
  };
}

/** Nodes whose timers come late ask each other for more patience, up to this many milliseconds of silence; VRRP's own timers go on running. */
export const watchedMsMax = peerBfd.silenceMsMax;

/**
 * Evergate's nodes watch the one they follow by BFD (`no_peer_bfd` turns it off), and a lost session starts the take-over. The last
 * packet came up to an interval before the failure. A pair of which one end is a Keepalived has no session.
 */
export function watchedTime(
  step: TakeOver,
  nodes: readonly ElectionNode[],
  before: string,
): { readonly watched?: Time } {
  const old = nodes.find(({ name }) => name === before);
  // The slowest of those that may take over.
  const paces = nodes.filter((node) => node !== old).map((node) => peerPaceMs(intervalHeard(node, old)));
  const intervalMs = Math.max(...paces);
  const { multiplier } = peerBfd;
  const maxMs = multiplier * intervalMs;
  // RFC 5881 §5 wants TTL 255, and a router that speaks with less may be beyond a hop.
  const both = nodes.every(
    ({ settings: { peerBfd: wanted, transport } }) =>
      wanted !== false && (transport.kind === 'multicast' || (transport.ttl ?? 255) === 255),
  );
  if (step.kind !== 'silent' || !both || maxMs >= step.maxMs) return {};
  return { watched: { minMs: maxMs - intervalMs, maxMs, formula: `BFD: ${multiplier} x ${intervalMs} ms` } };
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
