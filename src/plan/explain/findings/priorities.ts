/** Priorities and weights that don't decide what they seem to decide. */

import { entriesOf, has, linesOf, nameOf } from '../../../config/keepalived/config.ts';
import { explainLimits } from '../../../core/limits.ts';
import type { Member } from '../cluster.ts';
import { outcomesOf, type Surroundings } from '../combinations.ts';
import { conditionOf, type Failure, failuresOf } from '../situation.ts';
import { syncGroupOf, type Tracker, trackerWord, trackingWith } from '../trackers.ts';
import { type Finding, type FindingContext, finding, placeIn } from './finding.ts';

export function findPriorities({ views }: FindingContext): Finding[] {
  return views.flatMap((view) => [
    ...uselessWeights(view),
    ...equalPriorities(view),
    ...view.router.members.flatMap((member) => [...owner(member), ...droppedWeights(member)]),
  ]);
}

/** Of the preferred node: checks with a weight that change nothing, whatever else of its checks fails with them. */
function uselessWeights(view: Surroundings): Finding[] {
  const { router, active } = view;
  const at = router.members.findIndex(({ node }) => node.name === active.keepalived);
  if (router.members.length < 2 || at === -1 || view.deafness.keepalived.size > 0) return [];
  const member = router.members[at]!;
  const failures = failuresOf(member).filter(({ tracker }) => tracker !== undefined);
  if (failures.length > explainLimits.failuresCombinedMax) return [];
  return failures
    .filter(({ tracker }) => tracker!.weight !== 0 && !movesAddress(tracker!, failures, at, view))
    .map(({ tracker }) => describeUseless(tracker!, member, at, view));
}

function movesAddress(tracker: Tracker, failures: readonly Failure[], at: number, view: Surroundings): boolean {
  const others = failures.filter((failure) => failure.tracker !== tracker);
  const own = failures.find((failure) => failure.tracker === tracker)!;
  return subsets(others).some((set) => activeAfter([...set, own], at, view) !== activeAfter(set, at, view));
}

function activeAfter(failures: readonly Failure[], at: number, view: Surroundings): string | undefined {
  const conditions = view.normal.with(at, conditionOf(view.router.members[at]!, failures));
  return outcomesOf(conditions, view).keepalived.active[0];
}

function subsets<T>(items: readonly T[]): T[][] {
  const sets: T[][] = [[]];
  for (const item of items) sets.push(...sets.map((set) => [...set, item]));
  return sets;
}

function describeUseless(tracker: Tracker, member: Member, at: number, view: Surroundings): Finding {
  const place = trackerWord(member, tracker)?.place ?? member.entry.place;
  const failed = trackingWith(member, new Set([tracker.name])).priority;
  const rivals = view.router.members.filter((_, index) => index !== at);
  const best = rivals.reduce((a, b) => (running(b) > running(a) ? b : a));
  if (running(best) > failed)
    return finding(
      'weight-against-nopreempt',
      place,
      `${tracker.name} lowers the priority to ${failed}, below ${running(best)} of ${best.node.name}, which has nopreempt`,
    );
  return finding(
    'weight-cannot-move',
    place,
    `when ${tracker.name} fails the priority is ${failed}, still not below ${running(best)} of ${best.node.name}`,
  );
}

function running(member: Member): number {
  return trackingWith(member, new Set()).priority;
}

function equalPriorities({ router: { members } }: Surroundings): Finding[] {
  const best = Math.max(...members.map(running));
  const equal = members.filter((member) => running(member) === best);
  if (equal.length < 2) return [];
  const [first, second] = [equal[0]!, equal[1]!];
  // Nobody preferred, nobody preempts: then it is meant so, and the address stays where it is.
  const meant = equal.every(({ router }) => !router.settings.preempt);
  return [
    finding(
      'equal-priorities',
      placeIn(second, 'priority', 'state'),
      `the running priority is ${best}, as in ${first.node.name}`,
      meant ? { severity: 'notice' } : {},
    ),
  ];
}

function owner(member: Member): Finding[] {
  if (member.router.settings.basePriority !== 255) return [];
  const { entries } = member.entry;
  const reasonless = has(entries, 'priority');
  return reasonless
    ? [finding('owner-priority', placeIn(member, 'priority'), 'priority 255 makes this node the owner of the address')]
    : [finding('master-without-priority', placeIn(member, 'state'), 'state MASTER and no priority: priority 255')];
}

/** Named in the file, and gone in the plan. */
function droppedWeights(member: Member): Finding[] {
  const { node, router, entry } = member;
  const group = syncGroupOf(node, router);
  const blocks = [
    { word: 'track_script', all: node.plan.scripts, kept: router.trackScripts },
    { word: 'track_process', all: node.plan.processes, kept: router.trackProcesses },
    { word: 'track_file', all: node.plan.files, kept: router.trackFiles },
    { word: 'track_bfd', all: node.plan.bfdSessions, kept: router.trackBfd },
  ];
  const dropped = blocks.flatMap(({ word, all, kept }) =>
    linesOf(entry.entries, word)
      .map((line) => line[0]!)
      .filter(({ text }) => all.some(({ name }) => name === text) && !kept.some(({ name }) => name === text)),
  );
  return dropped.map((word) =>
    finding(
      'weights-dropped',
      word.place,
      group === undefined
        ? `${word.text} has a weight, and the priority is 255`
        : `${word.text} has a weight, and ${nameOf(entry)} is in the sync group ${group.name}`,
    ),
  );
}

/** Members of a sync group that prefer different nodes. */
export function findTornGroups({ cluster, views }: FindingContext): Finding[] {
  return cluster.nodes.flatMap((node) =>
    node.plan.syncGroups.flatMap((group) => {
      const preferred = group.members.map((index) => {
        const view = views.find(({ router }) =>
          router.members.some((member) => member.node === node && member.router === node.plan.routers[index]),
        );
        return { name: node.plan.routers[index]!.settings.name, active: view?.active.keepalived };
      });
      const other = preferred.find(({ active }) => active !== preferred[0]!.active);
      if (other === undefined) return [];
      const entry = entriesOf(node.config.entries, 'vrrp_sync_group').find((each) => nameOf(each) === group.name)!;
      const first = preferred[0]!;
      return [
        finding(
          'sync-group-torn',
          entry.place,
          `sync group ${group.name}: ${first.name} prefers ${first.active}, ${other.name} prefers ${other.active}`,
        ),
      ];
    }),
  );
}
