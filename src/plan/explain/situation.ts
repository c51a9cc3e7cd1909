/**
 * What can fail on a node, and what the node then amounts to in the election: in Evergate's world, where readiness is a fact and resigning
 * is immediate, and in Keepalived's, where only what is tracked is noticed and priority 0 is followed by the skew.
 */

import type { ElectionNode } from '../../core/vrrp/election.ts';
import type { TrackingResult } from '../../core/vrrp/events.ts';
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Member } from './cluster.ts';
import { type Noticed, type Tracker, trackersOf, trackingWith } from './trackers.ts';

export const worlds = ['evergate', 'keepalived'] as const;
export type World = (typeof worlds)[number];

export type FailureKind = 'host' | 'stop' | 'link' | 'balancer' | 'tracked';

/** One thing that fails on one node. */
export interface Failure {
  readonly kind: FailureKind;
  /** `host`, `stop`, `link eth0`, `balancer`, `script chk_haproxy`: unique on its node. */
  readonly id: string;
  /** For people, after the node's name: "loses its link eth0". */
  readonly text: string;
  readonly tracker?: Tracker;
}

/** A set of failures of one node; empty: all is well there. */
export interface Condition {
  readonly failures: readonly Failure[];
  readonly standing: Readonly<Record<World, Standing>>;
}

/** What a condition comes to. */
export interface Standing {
  /** Running and heard by the others. */
  readonly present: boolean;
  readonly serving: boolean;
  readonly tracking: TrackingResult;
  /** It says priority 0 before it goes. */
  readonly orderly: boolean;
  readonly noticed: Noticed;
  /** The balancer behind the address is dead, whether or not anybody knows. */
  readonly balancerDead: boolean;
}

/** The failures of a node that matter to this router. */
export function failuresOf(member: Member): readonly Failure[] {
  const own = member.router.settings.interface;
  const failures: Failure[] = [
    { kind: 'balancer', id: 'balancer', text: 'balancer dies' },
    { kind: 'host', id: 'host', text: 'host or VRRP daemon is lost' },
    ...(own === '' ? [] : [{ kind: 'link', id: `link ${own}`, text: `link ${own} is lost` } as const]),
    { kind: 'stop', id: 'stop', text: 'VRRP daemon is stopped' },
  ];
  for (const tracker of trackersOf(member)) {
    if (tracker.name === `interface ${own}`) continue;
    failures.push({ kind: 'tracked', id: tracker.name, text: trackerText(tracker), tracker });
  }
  return failures;
}

function trackerText({ kind, name, reverse }: Tracker): string {
  switch (kind) {
    case 'interface':
      return `${name} ${reverse ? 'comes up' : 'goes down'}`;
    case 'file':
      return `${name} reports trouble`;
    case 'bfd':
      return `${name} ${reverse ? 'comes up' : 'loses its neighbour'}`;
    case 'process':
      return `${name} ${reverse ? 'appears' : 'is gone'}`;
    case 'script':
      return `${name} ${reverse ? 'succeeds' : 'fails'}`;
  }
}

export function conditionOf(member: Member, failures: readonly Failure[]): Condition {
  return {
    failures,
    standing: {
      evergate: standing(member, failures, 'evergate'),
      keepalived: standing(member, failures, 'keepalived'),
    },
  };
}

function standing(member: Member, failures: readonly Failure[], world: World): Standing {
  const has = (kind: FailureKind) => failures.some((failure) => failure.kind === kind);
  const failed = failures.flatMap(({ tracker }) => (tracker === undefined ? [] : [tracker]));
  const balancerDead = has('balancer');
  const noticing =
    balancerDead && world === 'keepalived' ? trackersOf(member).filter((each) => each.noticesBalancer) : [];
  const counting = [...failed, ...noticing];
  const tracking = trackingWith(member, new Set(counting.map(({ name }) => name)));
  const linkDown = has('link');
  const told = balancerDead && world === 'evergate';
  return {
    present: !has('host') && !has('stop') && !linkDown,
    serving: !told,
    tracking: linkDown ? withLinkDown(member, tracking) : tracking,
    orderly: has('stop') && !has('host') && !linkDown,
    noticed: noticedBy(failures, told ? [] : counting),
    balancerDead,
  };
}

function withLinkDown({ router }: Member, tracking: TrackingResult): TrackingResult {
  const { trackPrimaryInterface, interface: name } = router.settings;
  return trackPrimaryInterface ? { ...tracking, faults: [...tracking.faults, `interface ${name} is down`] } : tracking;
}

/**
 * Nothing has to be noticed where the node is gone or the daemon is told. A fault is enough by itself, so the fastest one counts; of
 * weights all may have to be noticed.
 */
function noticedBy(failures: readonly Failure[], counting: readonly Tracker[]): Noticed {
  const none: Noticed = { minMs: 0, maxMs: 0, formula: '' };
  if (failures.some(({ kind }) => kind === 'host' || kind === 'stop' || kind === 'link')) return none;
  if (counting.length === 0) return none;
  const all = counting.map(({ noticed }) => noticed);
  const faults = counting.filter(({ weight }) => weight === 0).map(({ noticed }) => noticed);
  const fastest = (list: readonly Noticed[]) => list.reduce((a, b) => (b.maxMs < a.maxMs ? b : a));
  const decisive = faults.length > 0 ? fastest(faults) : all.reduce((a, b) => (b.maxMs > a.maxMs ? b : a));
  return { ...decisive, minMs: Math.min(...all.map(({ minMs }) => minMs)) };
}

export function settingsIn(world: World, settings: VirtualRouterSettings): VirtualRouterSettings {
  if (world === 'evergate') return settings;
  // Keepalived 2.2.7: from 2.3.3 on other address lists are accepted and logged.
  const refuses = { addressListMismatchAccepted: false, otherChecksumRefused: true };
  return { ...settings, resignIsImmediate: false, splitIsAnnounced: false, ...refuses };
}

export function electionNode(member: Member, standing: Standing, world: World): ElectionNode {
  const { present, serving, tracking } = standing;
  return {
    name: member.node.name,
    settings: settingsIn(world, member.router.settings),
    source: member.source,
    tracking,
    present,
    serving,
  };
}
