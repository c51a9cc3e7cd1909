/**
 * Who is active in which situation, and after how long: the protocol's answer without running it. Linter, simulator and lab ask here.
 *
 * The nodes given are those that could hear each other; who can't is told by `whyUnheard`.
 */

import type { TrackingResult } from './events.ts';
import { activeDownMs, skewMs } from './intervals.ts';
import { compareContenders } from './order.ts';
import { encodeAdvertisement } from './packet.ts';
import { receiveAdvertisement } from './receive.ts';
import type { VirtualRouterSettings } from './settings.ts';

export interface ElectionNode {
  readonly name: string;
  readonly settings: VirtualRouterSettings;
  /** The address it sends from. */
  readonly source: string;
  /** As computed by `runningPriority` for the situation asked about. */
  readonly tracking: TrackingResult;
  /** Running and reachable by the others. */
  readonly present: boolean;
  /** Its balancer serves (true where there is none), and no operator has handed it over. */
  readonly serving: boolean;
}

export interface Election {
  /** Who is active once everything has settled: the only possibility, or the one that wins when nobody was active before. */
  readonly active: string | undefined;
  /** Everybody who could be: more than one where equal priorities or nopreempt make it depend on what was before. */
  readonly possible: readonly string[];
}

/**
 * The settled state. `before`: who was active until now, if anybody. A router that is already active stays unless a higher one preempts.
 */
export function elect(nodes: readonly ElectionNode[], before: string | undefined): Election {
  const able = nodes.filter(isAble);
  const stable = able.filter(
    (node) => !able.some((rival) => rival.settings.preempt && rival.tracking.priority > node.tracking.priority),
  );
  const kept = stable.find(({ name }) => name === before);
  if (kept !== undefined) return { active: kept.name, possible: [kept.name] };
  return { active: best(stable)?.name, possible: stable.map(({ name }) => name) };
}

/** May take part: present, serving, no fault, nothing pending. */
export function isAble(node: ElectionNode): boolean {
  return node.present && node.serving && node.tracking.faults.length === 0 && node.tracking.pending.length === 0;
}

function best(nodes: readonly ElectionNode[]): ElectionNode | undefined {
  return nodes.reduce<ElectionNode | undefined>(
    (leader, node) =>
      leader === undefined || compareContenders(contender(node), contender(leader)) > 0 ? node : leader,
    undefined,
  );
}

function contender({ tracking, source }: ElectionNode) {
  return { priority: tracking.priority, source };
}

export type TakeOverKind =
  | 'stays' // the active router remains
  | 'resigned' // it said priority 0: a fault, a balancer that does not serve, an orderly stop
  | 'silent' // nothing is heard of it any more
  | 'outranked' // it goes on, but a higher one preempts it
  | 'nobody'; // there is no successor

export interface TakeOver extends Election {
  readonly kind: TakeOverKind;
  /**
   * From the moment the active router fails (or is outranked) until an able one is active, network and scheduling delays not counted.
   * Between the two lies what an advertisement interval leaves to chance.
   */
  readonly minMs: number;
  readonly maxMs: number;
  /** How `maxMs` comes about, in words and numbers. */
  readonly formula: string;
}

/**
 * The step from one situation to the next: `nodes` as they are after the failure, `before` who was active. A node that is still present
 * but no longer able resigns in an orderly way; `orderly`: one that is gone was stopped, not lost.
 */
export function takeOver(nodes: readonly ElectionNode[], before: string, orderly = false): TakeOver {
  const outcome = elect(nodes, before);
  const old = nodes.find(({ name }) => name === before);
  if (outcome.active === before) return { ...outcome, kind: 'stays', minMs: 0, maxMs: 0, formula: 'stays active' };
  const successors = nodes.filter((node) => isAble(node) && node.name !== before);
  if (successors.length === 0) return { ...outcome, kind: 'nobody', minMs: 0, maxMs: 0, formula: 'nobody is able' };
  if (old !== undefined && isAble(old)) return { ...outcome, kind: 'outranked', ...outrankTime(old, successors) };
  if (orderly || old?.present === true) return { ...outcome, kind: 'resigned', ...resignTime(old, successors) };
  return { ...outcome, kind: 'silent', ...silenceTime(old, successors) };
}

/** The first of them to act after priority 0 was heard. */
function resignTime(old: ElectionNode | undefined, successors: readonly ElectionNode[]) {
  if (successors.some(({ settings }) => settings.resignIsImmediate))
    return { minMs: 0, maxMs: 0, formula: 'priority 0 is heard: at once' };
  const skews = successors.map((node) =>
    skewMs(node.settings.version, node.tracking.priority, intervalHeard(node, old)),
  );
  const ms = Math.min(...skews);
  return { minMs: ms, maxMs: ms, formula: `priority 0 is heard, then the skew of ${round(ms)} ms` };
}

/** Active_Down_Interval counts from the last advertisement, which was sent up to an interval before the failure. */
function silenceTime(old: ElectionNode | undefined, successors: readonly ElectionNode[]) {
  const first = earliest(old, successors);
  const interval = old?.settings.advertisementIntervalMs ?? first.intervalMs;
  return { minMs: Math.max(0, first.downMs - interval), maxMs: first.downMs, formula: first.formula };
}

/** The preempting router discards the lower advertisements; its timer was last reset by one that was not lower. */
function outrankTime(old: ElectionNode, successors: readonly ElectionNode[]) {
  const rivals = successors.filter(
    ({ settings, tracking }) => settings.preempt && tracking.priority > old.tracking.priority,
  );
  const first = earliest(old, rivals);
  const delay = first.node.settings.preemptDelayMs;
  const interval = old.settings.advertisementIntervalMs;
  // With preempt_delay lower advertisements reset the timer until the delay is over.
  const maxMs = delay > 0 ? delay + interval + first.downMs : first.downMs;
  const minMs = delay > 0 ? delay : Math.max(0, first.downMs - interval);
  return { minMs, maxMs, formula: delay > 0 ? `preempt_delay ${delay} ms, then ${first.formula}` : first.formula };
}

function earliest(old: ElectionNode | undefined, candidates: readonly ElectionNode[]) {
  const timed = candidates.map((node) => {
    const { version, downTimerAdverts } = node.settings;
    const intervalMs = intervalHeard(node, old);
    const downMs = activeDownMs(version, node.tracking.priority, intervalMs, downTimerAdverts);
    const skew = round(downMs - downTimerAdverts * intervalMs);
    return { node, intervalMs, downMs, formula: `${downTimerAdverts} x ${intervalMs} ms + skew ${skew} ms` };
  });
  return timed.reduce((leader, entry) => (entry.downMs < leader.downMs ? entry : leader));
}

/** Version 3 follows the active router's interval. */
export function intervalHeard(node: ElectionNode, old: ElectionNode | undefined): number {
  return node.settings.version === 3 && old !== undefined
    ? old.settings.advertisementIntervalMs
    : node.settings.advertisementIntervalMs;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Why `to` ignores what `from` says, in the words of its log; undefined when it listens. The network is taken as working. */
export function whyUnheard(
  from: Pick<ElectionNode, 'settings' | 'source'>,
  to: Pick<ElectionNode, 'settings' | 'source'>,
): string | undefined {
  const { settings, source } = from;
  const { transport } = settings;
  if (settings.family !== to.settings.family) return `${settings.family} against ${to.settings.family}`;
  if (transport.kind === 'unicast' && !transport.peers.some(({ address }) => address === to.source))
    return `${to.source} is not among its unicast peers`;
  if (
    transport.kind === 'multicast' &&
    to.settings.transport.kind === 'multicast' &&
    transport.group !== to.settings.transport.group
  )
    return `multicast group ${transport.group} against ${to.settings.transport.group}`;
  const destination = transport.kind === 'multicast' ? transport.group : to.source;
  // The authentication header covers fields of the IP header that are not known here: password and type are compared instead.
  const ah = settings.authentication.kind === 'ah' && to.settings.authentication.kind === 'ah';
  if (ah && !samePassword(settings, to.settings)) return 'another password';
  const plain = ah ? ({ kind: 'none' } as const) : undefined;
  const sender = plain ? { ...settings, authentication: plain } : settings;
  // An owner that listens to nobody misses nothing that would matter to it, but for another owner.
  const { ownerIgnoresAdvertisements, ...listening } = to.settings;
  const deaf = ownerIgnoresAdvertisements === true && settings.basePriority !== 255;
  const listener = deaf ? listening : to.settings;
  const receiver = plain ? { ...listener, authentication: plain } : listener;
  const payload = encodeAdvertisement(sender, 100, { source, destination });
  const ttl = transport.kind === 'unicast' ? (transport.ttl ?? 255) : 255;
  const context = { ownAddress: to.source, followed: undefined, sequence: 0, active: true };
  const received = receiveAdvertisement({ source, destination, ttl, payload }, receiver, context);
  return received.kind === 'rejected' ? received.message : undefined;
}

function samePassword(a: VirtualRouterSettings, b: VirtualRouterSettings): boolean {
  const password = ({ authentication }: VirtualRouterSettings) =>
    authentication.kind === 'none' ? '' : authentication.password.slice(0, 8);
  return password(a) === password(b);
}
