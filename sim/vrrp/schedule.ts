/**
 * A schedule: the nodes, their network, and a timed list of faults. Plain data, so that a failing one can be printed, shrunk and kept.
 * `scheduleFor(seed)` makes one: windows of trouble, each followed by a calm that is long enough for everything to settle.
 */

import type { VirtualRouterSettings } from '../../src/core/vrrp/settings.ts';
import { settingsWith } from '../../src/core/vrrp/test-settings.ts';
import { SeededRandom } from './random.ts';

export interface Schedule {
  /** For the network's chance. */
  readonly seed: number;
  readonly durationMs: number;
  readonly nodes: readonly NodePlan[];
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
  /** BFD between the nodes: a lost node is noticed after this long; 0 = none. */
  readonly bfdMs: number;
}

export type Fault =
  | { readonly at: number; readonly kind: 'crash' | 'kill' | 'restart' | 'stop'; readonly node: number }
  | { readonly at: number; readonly kind: 'link'; readonly node: number; readonly up: boolean }
  | { readonly at: number; readonly kind: 'serving'; readonly node: number; readonly serving: boolean }
  | { readonly at: number; readonly kind: 'handover' | 'resume'; readonly node: number }
  | { readonly at: number; readonly kind: 'priority'; readonly node: number; readonly change: number }
  | { readonly at: number; readonly kind: 'script'; readonly node: number; readonly well: boolean }
  | { readonly at: number; readonly kind: 'reload'; readonly node: number; readonly plan: NodePlan }
  | { readonly at: number; readonly kind: 'stall'; readonly node: number; readonly forMs: number }
  | { readonly at: number; readonly kind: 'peer-lost'; readonly node: number; readonly peer: number }
  | { readonly at: number; readonly kind: 'address-lost'; readonly node: number }
  /** Messages from `from` no longer reach `to`. */
  | { readonly at: number; readonly kind: 'cut'; readonly from: number; readonly to: number }
  | { readonly at: number; readonly kind: 'mend' }
  | { readonly at: number; readonly kind: 'loss'; readonly probability: number };

export const simulatedMs = 60_000;

export function settingsOf(plan: NodePlan): VirtualRouterSettings {
  const base = settingsWith();
  return {
    ...base,
    name: 'vr',
    basePriority: plan.priority,
    version: plan.version,
    advertisementIntervalMs: plan.intervalMs,
    preempt: plan.preempt,
    preemptDelayMs: plan.preemptDelayMs,
    resignIsImmediate: !plan.foreign,
    splitIsAnnounced: !plan.foreign,
    garp: { ...base.garp, delayMs: 5000 },
  };
}

export function scheduleFor(seed: number): Schedule {
  const random = new SeededRandom(seed);
  const nodes = makeNodes(random);
  const network = makeNetwork(random);
  const faults: Fault[] = [];
  const windows = 1 + random.below(3);
  const windowMs = simulatedMs / windows;
  for (let window = 0; window < windows; window++) {
    const start = window * windowMs;
    const trouble = { start: start + random.below(2000), end: start + windowMs * 0.5 };
    addTrouble(faults, random, nodes, trouble);
  }
  faults.sort((a, b) => a.at - b.at);
  return { seed, durationMs: simulatedMs, nodes, network, faults };
}

function makeNodes(random: SeededRandom): readonly NodePlan[] {
  const count = 2 + random.below(4);
  const version = random.pick([2, 3] as const);
  const intervalMs = version === 2 ? 1000 : random.pick([200, 500, 1000]);
  const mixed = version === 3 && random.chance(0.15);
  const equal = random.chance(0.25);
  const foreign = random.pick([0, 0, 0.5, 1]);
  const preempting = random.pick([1, 1, 0.5, 0]);
  const owner = random.chance(0.1);
  return Array.from({ length: count }, (_, index) => {
    const priority = equal ? 100 : random.pick([1, 100 + index, 100 + random.below(5), 1 + random.below(254), 254]);
    const preempt = random.chance(preempting);
    // An address owner always preempts: plan sees to it, as Keepalived does.
    const isOwner = owner && index === 0;
    return {
      priority: isOwner ? 255 : priority,
      version,
      intervalMs: mixed ? random.pick([200, 500, 1000]) : intervalMs,
      preempt: isOwner || preempt,
      preemptDelayMs: random.chance(0.1) ? 1000 + random.below(4000) : 0,
      foreign: random.chance(foreign),
    };
  });
}

function makeNetwork(random: SeededRandom): NetworkPlan {
  const delayMinMs = random.pick([0.05, 0.2, 1]);
  return {
    delayMinMs,
    delayMaxMs: delayMinMs + random.pick([0, 0.2, 5, 30]),
    reorders: random.chance(0.3),
    duplicates: random.chance(0.2) ? 0.1 : 0,
    bfdMs: random.chance(0.3) ? 30 : 0,
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Some faults, and at the end what makes the network whole; nodes may stay dead or out of service for the calm. */
function addTrouble(faults: Fault[], random: SeededRandom, nodes: readonly NodePlan[], span: Span): void {
  const count = 1 + random.below(8);
  for (let made = 0; made < count; made++) {
    const at = Math.round(span.start + random.fraction() * (span.end - span.start));
    addFault(faults, random, nodes, at, span.end);
  }
  faults.push({ at: span.end, kind: 'loss', probability: 0 }, { at: span.end, kind: 'mend' });
}

function addFault(faults: Fault[], random: SeededRandom, nodes: readonly NodePlan[], at: number, end: number): void {
  const node = random.below(nodes.length);
  /** The opposite a little later, within the window, or never. */
  const later = at + random.below(Math.max(1, Math.round((end - at) * 1.2)));
  const undone = later < end;
  switch (random.below(13)) {
    case 0:
    case 1:
      faults.push({ at, kind: random.pick(['crash', 'kill', 'stop'] as const), node });
      if (undone) faults.push({ at: later, kind: 'restart', node });
      break;
    case 2:
      faults.push({ at, kind: 'link', node, up: false });
      if (undone) faults.push({ at: later, kind: 'link', node, up: true });
      break;
    case 3:
    case 4:
      faults.push({ at, kind: 'serving', node, serving: false });
      if (undone) faults.push({ at: later, kind: 'serving', node, serving: true });
      break;
    case 5:
      faults.push({ at, kind: 'handover', node });
      if (undone) faults.push({ at: later, kind: 'resume', node });
      break;
    case 6:
      faults.push({ at, kind: 'priority', node, change: random.below(41) - 20 });
      break;
    case 7:
      faults.push({ at, kind: 'script', node, well: false });
      if (undone) faults.push({ at: later, kind: 'script', node, well: true });
      break;
    case 8:
      faults.push({ at, kind: 'reload', node, plan: reloaded(random, nodes[node]!) });
      break;
    case 9:
      faults.push({ at, kind: 'stall', node, forMs: Math.min(end - at, random.pick([50, 500, 2500, 8000])) });
      break;
    case 10:
      addCut(faults, random, nodes.length, at);
      if (undone) faults.push({ at: later, kind: 'mend' });
      break;
    case 11:
      faults.push({ at, kind: 'loss', probability: random.pick([0.1, 0.5, 1]) });
      if (undone) faults.push({ at: later, kind: 'loss', probability: 0 });
      break;
    default:
      if (random.chance(0.5)) faults.push({ at, kind: 'address-lost', node });
      else faults.push({ at, kind: 'peer-lost', node, peer: random.below(nodes.length) });
  }
}

function reloaded(random: SeededRandom, plan: NodePlan): NodePlan {
  return { ...plan, priority: 1 + random.below(254), preempt: random.chance(0.7) ? plan.preempt : !plan.preempt };
}

/** One direction between two nodes, both directions, or one node against the rest. */
function addCut(faults: Fault[], random: SeededRandom, count: number, at: number): void {
  const from = random.below(count);
  const to = (from + 1 + random.below(count - 1)) % count;
  const both = random.chance(0.6);
  const whole = random.chance(0.4);
  for (let other = 0; other < count; other++) {
    if (other === from || (!whole && other !== to)) continue;
    faults.push({ at, kind: 'cut', from, to: other });
    if (both) faults.push({ at, kind: 'cut', from: other, to: from });
  }
}
