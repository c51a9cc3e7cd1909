/**
 * The answer of `evergate explain`, as values: for each virtual router of a cluster its running priorities and what they are made of,
 * what every failure and every combination of failures leads to in Evergate's world and in Keepalived's, and the findings.
 */

import { takeOver } from '../../core/vrrp/election.ts';
import { activeDownMs } from '../../core/vrrp/intervals.ts';
import { priorityChange } from '../../core/vrrp/tracking.ts';
import { buildCluster, type Cluster, type Member, type NodeFile, type VirtualRouter } from './cluster.ts';
import { type Combinations, combine, outcomesOf, type Surroundings } from './combinations.ts';
import { findAll } from './findings/all.ts';
import type { BalancerFile } from './findings/balancer.ts';
import type { Finding } from './findings/finding.ts';
import { deafnessOf, type Outcome, settle, watchedTime } from './outcome.ts';
import { conditionOf, electionNode, failuresOf, type World } from './situation.ts';
import { type Tracker, trackersOf, trackingWith } from './trackers.ts';

export interface Explanation {
  readonly cluster: Cluster;
  readonly routers: readonly RouterExplanation[];
  readonly findings: readonly Finding[];
}

export interface RouterExplanation {
  readonly router: VirtualRouter;
  readonly priorities: readonly PriorityExplanation[];
  /** How long a node that nobody hears any more counts as active: the longest Active_Down_Interval (RFC 9568 §6.1) in normal operation. */
  readonly activeDownMs: number;
  readonly normal: Readonly<Record<World, Outcome>>;
  /** Of the whole situation, not of one row: files that can't hear each other have several active nodes at all times. */
  readonly split: Readonly<Record<World, boolean>>;
  /** One failure at a time, from normal operation; equal outcomes of one node joined. */
  readonly failures: readonly FailureRow[];
  readonly comesBack: FailureRow | undefined;
  /** Nothing passes between the active node and the others: the time after which there are two. */
  readonly partition: FailureRow | undefined;
  readonly combinations: Combinations;
}

export interface PriorityExplanation {
  readonly member: Member;
  readonly base: number;
  readonly running: number;
  readonly parts: readonly PriorityPart[];
}

/** What one tracker does to the priority. */
export interface PriorityPart {
  readonly tracker: Tracker;
  /** Added now, while all is well. */
  readonly now: number;
  /** The running priority when it fails alone; undefined: FAULT. */
  readonly failed: number | undefined;
}

export interface FailureRow {
  readonly node: string;
  readonly what: readonly string[];
  readonly ids: readonly string[];
  readonly outcome: Readonly<Record<World, Outcome>>;
}

/** @param balancer the haproxy.cfg that the nodes share, when it was given. */
export function explain(nodes: readonly NodeFile[], balancer: BalancerFile | undefined): Explanation {
  const cluster = buildCluster(nodes);
  const views = cluster.routers.map(viewOf);
  return {
    cluster,
    routers: views.map(explainRouter),
    findings: findAll(cluster, views, balancer),
  };
}

/** A virtual router in normal operation: what findings and tables start from. */
export function viewOf(router: VirtualRouter): Surroundings {
  const normal = router.members.map((member) => conditionOf(member, []));
  const deafness = { evergate: deafnessOf(router, 'evergate'), keepalived: deafnessOf(router, 'keepalived') };
  const activeIn = (world: World) => settle(router, normal, world, normal, undefined, deafness[world]).active[0];
  return { router, normal, deafness, active: { evergate: activeIn('evergate'), keepalived: activeIn('keepalived') } };
}

function explainRouter(view: Surroundings): RouterExplanation {
  const { router, normal, deafness } = view;
  const start = (world: World) => settle(router, normal, world, normal, undefined, deafness[world]);
  const outcome = { evergate: start('evergate'), keepalived: start('keepalived') };
  return {
    router,
    priorities: router.members.map(explainPriority),
    activeDownMs: Math.max(...router.members.map(patienceMs)),
    normal: outcome,
    split: { evergate: outcome.evergate.active.length > 1, keepalived: outcome.keepalived.active.length > 1 },
    failures: router.members.flatMap((member, index) => failureRows(member, index, view)),
    comesBack: comesBack(view),
    partition: partition(view),
    combinations: combine(view),
  };
}

function patienceMs(member: Member): number {
  const { version, advertisementIntervalMs, downTimerAdverts } = member.router.settings;
  return activeDownMs(version, trackingWith(member, new Set()).priority, advertisementIntervalMs, downTimerAdverts);
}

function explainPriority(member: Member): PriorityExplanation {
  return {
    member,
    base: member.router.settings.basePriority,
    running: trackingWith(member, new Set()).priority,
    parts: trackersOf(member).map((tracker) => {
      const { weight, reverse, kind } = tracker;
      const failed = trackingWith(member, new Set([tracker.name]));
      const now =
        weight === 0 || kind === 'file'
          ? 0
          : priorityChange({ name: '', weight, reverse, result: reverse ? 'failed' : 'well' });
      return { tracker, now, failed: failed.faults.length > 0 ? undefined : failed.priority };
    }),
  };
}

// ------------------------------------------------------------ one failure at a time

function failureRows(member: Member, index: number, view: Surroundings): FailureRow[] {
  const rows = failuresOf(member).map((failure) => {
    const conditions = view.normal.with(index, conditionOf(member, [failure]));
    return { failure, outcome: outcomesOf(conditions, view) };
  });
  const groups = Map.groupBy(rows, ({ outcome }) => JSON.stringify([sign(outcome.evergate), sign(outcome.keepalived)]));
  return [...groups.values()].map((group) => ({
    node: member.node.name,
    what: group.map(({ failure }) => failure.text),
    ids: group.map(({ failure }) => failure.id),
    outcome: group[0]!.outcome,
  }));
}

/** Where nothing changes the reason doesn't matter to the table. */
function sign(outcome: Outcome): unknown {
  const { active, instead, changed, deadHolder } = outcome;
  return changed ? outcome : { active, instead, changed, deadHolder };
}

/** The preferred node was away, and is well again: from its start (its first advertisement heard or not) until it is active. */
function comesBack(view: Surroundings): FailureRow | undefined {
  const { router, normal, active, deafness } = view;
  const at = router.members.findIndex(({ node }) => node.name === active.evergate);
  if (at === -1 || router.members.length < 2 || deafness.evergate.size > 0) return undefined;
  const away = normal.with(at, conditionOf(router.members[at]!, [{ kind: 'host', id: 'host', text: '' }]));
  const without = outcomesOf(away, view);
  const back = (world: World) =>
    fromStart(settle(router, normal, world, normal, without[world].active[0], deafness[world]), router.members[at]!);
  const outcome = { evergate: back('evergate'), keepalived: back('keepalived') };
  return { node: active.evergate!, what: ['comes back'], ids: ['return'], outcome };
}

/** The timer of a node that starts was set before its checks had a result: with a positive weight it has the longer skew. */
function fromStart(outcome: Outcome, member: Member): Outcome {
  const { settings } = member.router;
  if (!outcome.changed || settings.preemptDelayMs > 0) return outcome;
  const names = new Set(trackersOf(member).map(({ name }) => name));
  const { priority } = trackingWith(member, new Set(), names);
  const { version, advertisementIntervalMs: interval, downTimerAdverts: adverts } = settings;
  const maxMs = activeDownMs(version, priority, interval, adverts);
  if (maxMs <= outcome.maxMs) return outcome;
  const skew = Math.round((maxMs - adverts * interval) * 10) / 10;
  return { ...outcome, maxMs, formula: `${adverts} x ${interval} ms + skew ${skew} ms` };
}

/** Nothing passes between the active node and the others, though all live: they take over as from one that is silent, and it stays. */
function partition(view: Surroundings): FailureRow | undefined {
  const { router, normal, active, deafness } = view;
  if (router.members.length < 2 || deafness.evergate.size > 0 || deafness.keepalived.size > 0) return undefined;
  const of = (world: World): Outcome => {
    const before = active[world] ?? '';
    const nodes = router.members.map((member, index) => electionNode(member, normal[index]!.standing[world], world));
    const step = takeOver(
      nodes.map((node) => (node.name === before ? { ...node, present: false } : node)),
      before,
    );
    const both = step.active === undefined ? [before] : [before, step.active];
    const why = `${before} goes on, and the others hear nothing of it`;
    const { minMs, maxMs, formula } = step;
    const time = { minMs, maxMs, formula, ...(world === 'evergate' ? watchedTime(step, nodes, before) : {}) };
    return { ...time, active: both, instead: [], why, changed: step.active !== undefined, deadHolder: false };
  };
  const outcome = { evergate: of('evergate'), keepalived: of('keepalived') };
  const what = 'no advertisement passes between it and the others (firewall, switch)';
  return { node: active.evergate ?? '', what: [what], ids: ['partition'], outcome };
}
