/** What a node tracks for one virtual router, how fast each of it is noticed, and what its results make of the priority. */

import { linesOf } from '../../config/keepalived/config.ts';
import type { Word } from '../../config/keepalived/placed-text.ts';
import type { TrackingResult } from '../../core/vrrp/events.ts';
import { runningPriority, type Tracked } from '../../core/vrrp/tracking.ts';
import type { CommandPlan, SyncGroupPlan, TrackReference, VirtualRouterPlan } from '../vrrp.ts';
import type { Member, NodeFile } from './cluster.ts';

export type TrackerKind = 'script' | 'interface' | 'file' | 'process' | 'bfd';

export interface Tracker {
  readonly kind: TrackerKind;
  /** `script chk_haproxy`: unique on its node. */
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
  /** From the trouble until it counts. */
  readonly noticed: Noticed;
  /** The process whose death it notices, where that can be told from its words. */
  readonly process: string | undefined;
  /** Asks only whether a process exists. */
  readonly existenceOnly: boolean;
  /** Whether the balancer's death makes it fail: it asks for the balancer's process, or is a script of which this is taken for granted. */
  readonly noticesBalancer: boolean;
}

export interface Noticed {
  readonly minMs: number;
  readonly maxMs: number;
  readonly formula: string;
}

type References = Pick<
  SyncGroupPlan,
  'trackScripts' | 'trackInterfaces' | 'trackFiles' | 'trackProcesses' | 'trackBfd'
>;

export function syncGroupOf(node: NodeFile, router: VirtualRouterPlan): SyncGroupPlan | undefined {
  const index = node.plan.routers.indexOf(router);
  return node.plan.syncGroups.find((group) => group.members.includes(index));
}

/** Everything whose result matters to the router: its own trackers, its sync group's, and those of the group's other members. */
export function trackersOf({ node, router }: Pick<Member, 'node' | 'router'>): readonly Tracker[] {
  const group = syncGroupOf(node, router);
  const mates = (group?.members ?? []).map((index) => node.plan.routers[index]!);
  const lists: References[] = [router, ...(group === undefined ? [] : [group]), ...mates];
  const trackers = new Map<string, Tracker>();
  for (const list of lists)
    for (const tracker of describeAll(list, node)) if (!trackers.has(tracker.name)) trackers.set(tracker.name, tracker);
  return [...trackers.values()];
}

/** The running priority, faults and pending results, where `failed` names the trackers that fail and the rest is well. */
export function trackingWith(
  member: Pick<Member, 'node' | 'router'>,
  failed: ReadonlySet<string>,
  unknown: ReadonlySet<string> = new Set(),
): TrackingResult {
  const { node, router } = member;
  const group = syncGroupOf(node, router);
  const evaluate = (each: VirtualRouterPlan) =>
    runningPriority(
      each.settings.basePriority,
      [each, ...(group === undefined ? [] : [group])].flatMap((list) => results(list, failed, unknown)),
    );
  const own = evaluate(router);
  const mates = (group?.members ?? []).map((index) => node.plan.routers[index]!).filter((each) => each !== router);
  const faults = mates.flatMap((mate) =>
    evaluate(mate).faults.map((fault) => `${mate.settings.name} of sync group ${group!.name}: ${fault}`),
  );
  return { ...own, faults: [...own.faults, ...faults] };
}

function results(list: References, failed: ReadonlySet<string>, unknown: ReadonlySet<string>): Tracked[] {
  return references(list).map(({ kind, reference }) => {
    const name = `${kind} ${reference.name}`;
    const { weight, reverse } = reference;
    const bad = failed.has(name);
    // "Fails" means: the opposite of what is wished; with `reverse` the wished result is failure.
    const well = bad === reverse ? 'well' : 'failed';
    const result = unknown.has(name) ? 'unknown' : kind === 'file' ? fileValue(weight, reverse, bad) : well;
    return { name, weight, reverse, result };
  });
}

/** A tracked file says 0 while all is well; as trouble we take the number of size one that lowers the priority. */
function fileValue(weight: number, reverse: boolean, bad: boolean): number {
  if (!bad) return 0;
  return weight === 0 || weight < 0 !== reverse ? 1 : -1;
}

export function references(list: References): { readonly kind: TrackerKind; readonly reference: TrackReference }[] {
  const of = (kind: TrackerKind, all: readonly TrackReference[]) => all.map((reference) => ({ kind, reference }));
  return [
    ...of('script', list.trackScripts),
    ...of('process', list.trackProcesses),
    ...of('interface', list.trackInterfaces),
    ...of('file', list.trackFiles),
    ...of('bfd', list.trackBfd),
  ];
}

function describeAll(list: References, node: NodeFile): Tracker[] {
  return references(list).map(({ kind, reference }) => ({
    kind,
    name: `${kind} ${reference.name}`,
    weight: reference.weight,
    reverse: reference.reverse,
    noticed: noticed(kind, reference, node),
    ...subject(kind, reference, node),
  }));
}

const atOnce: Noticed = { minMs: 0, maxMs: 0, formula: '' };

function noticed(kind: TrackerKind, reference: TrackReference, { plan }: NodeFile): Noticed {
  if (kind === 'script') {
    const { intervalMs, fall } = plan.scripts[reference.target]!;
    // Just before a run, or just after one; the run's own length is not known here.
    const times = fall === 1 ? '' : `${fall} x `;
    return { minMs: (fall - 1) * intervalMs, maxMs: fall * intervalMs, formula: `${times}interval ${intervalMs} ms` };
  }
  if (kind === 'process') {
    const { terminateDelayMs: ms } = plan.processes[reference.target]!;
    return ms === 0 ? atOnce : { minMs: ms, maxMs: ms, formula: `terminate_delay ${ms} ms` };
  }
  if (kind === 'interface') return linkNoticed(reference.name, plan.global.interfaceDelays);
  if (kind === 'bfd') {
    const { minRxMs, multiplier } = plan.bfdSessions[reference.target]!;
    return { minMs: 0, maxMs: minRxMs * multiplier, formula: `${multiplier} x min_rx ${minRxMs} ms` };
  }
  return atOnce;
}

export function linkNoticed(name: string, delays: NodeFile['plan']['global']['interfaceDelays']): Noticed {
  const downMs = delays.find((delay) => delay.interface === name)?.downMs ?? 0;
  return downMs === 0 ? atOnce : { minMs: downMs, maxMs: downMs, formula: `down delay ${downMs} ms` };
}

function subject(kind: TrackerKind, reference: TrackReference, { plan }: NodeFile) {
  if (kind === 'process') {
    const name = baseName(plan.processes[reference.target]!.process);
    return { process: name, existenceOnly: true, noticesBalancer: !reference.reverse };
  }
  if (kind !== 'script') return { process: undefined, existenceOnly: false, noticesBalancer: false };
  const asked = processAsked(plan.scripts[reference.target]!.command);
  // Of a script of the operator's own it is taken for granted that it notices: the page says so.
  return { process: asked, existenceOnly: asked !== undefined, noticesBalancer: !reference.reverse };
}

/** The process for which a command only asks whether it exists; undefined for every other command. */
export function processAsked({ argv }: Pick<CommandPlan, 'argv'>): string | undefined {
  const words = withoutShell(argv);
  const program = baseName(words[0] ?? '');
  const rest = words.slice(1).filter((word) => !/^(\d*>.*|\/dev\/null|&&|\|\||;|exit|\d+)$/.test(word));
  const names = rest.filter((word) => !word.startsWith('-'));
  if (program === 'killall' || program === 'pkill') return rest.includes('-0') ? last(names) : undefined;
  if (program === 'pidof' || program === 'pgrep') return last(names);
  if (program === 'systemctl' && (names[0] === 'is-active' || names[0] === 'status')) return unitName(names[1]);
  if (program === 'service' && names[1] === 'status') return unitName(names[0]);
  return undefined;
}

/** `/bin/sh -c 'killall -0 haproxy'` asks what `killall -0 haproxy` asks; a pipe or list asks more than we can read. */
function withoutShell(argv: readonly string[]): readonly string[] {
  const [shell = '', option = '', text = ''] = argv;
  const words = /^(ba|da|a|k)?sh$/.test(baseName(shell)) && option === '-c' ? text.trim().split(/\s+/) : argv;
  return words.some((word) => word === '|') ? [] : words;
}

function unitName(text: string | undefined): string | undefined {
  return text?.replace(/\.service$/, '');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function last(words: readonly string[]): string | undefined {
  const word = words.at(-1);
  return word === undefined ? undefined : baseName(word);
}

/** The word that names the tracker in the instance's (or its group's) list, for places. */
export function trackerWord(member: Member, tracker: Tracker): Word | undefined {
  const name = tracker.name.slice(tracker.kind.length + 1);
  const group = syncGroupOf(member.node, member.router);
  const blocks = [
    member.entry,
    ...member.node.config.entries.filter(
      (entry) => entry.keyword.word === 'vrrp_sync_group' && entry.arguments[0]?.text === group?.name,
    ),
  ];
  return blocks
    .flatMap((block) => linesOf(block.entries, `track_${tracker.kind}`))
    .map((line) => line[0]!)
    .find((word) => word.text === name);
}
