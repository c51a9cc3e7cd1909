/** Makes schedules from seeds: windows of trouble, each followed by a calm that is long enough for everything to settle. */

import { SeededRandom } from './random.ts';
import type { Fault, NetworkPlan, NodePlan, Schedule } from './schedule.ts';

export const simulatedMs = 60_000;
const hurriedIntervalMs = 20;
const hurriedMs = 30_000;

export function scheduleFor(seed: number): Schedule {
  const random = new SeededRandom(seed);
  const made = makeNodes(random);
  const network = makeNetwork(random, made);
  // Frequent advertisements are what makes sessions fast, and schedules long to compute: few of them, and short.
  const hurried = network.bfdSessions === true && made.every(({ version }) => version === 3) && seed % 5 === 0;
  const nodes = hurried ? made.map((node) => ({ ...node, intervalMs: hurriedIntervalMs })) : made;
  const durationMs = hurried ? hurriedMs : simulatedMs;
  const grouped = random.chance(0.15) ? 2 + random.below(2) : 1;
  const faults: Fault[] = [];
  const windows = 1 + random.below(3);
  const windowMs = durationMs / windows;
  for (let window = 0; window < windows; window++) {
    const start = window * windowMs;
    // Sessions come up while nothing happens, so that the first trouble shows how fast they notice it.
    const first = network.bfdSessions && window === 0 ? Math.min(12_000, windowMs * 0.4) : 0;
    const trouble = { start: start + first + random.below(2000), end: start + windowMs * 0.5 };
    addTrouble(faults, random, { nodes, network, grouped }, trouble);
  }
  faults.sort((a, b) => a.at - b.at);
  return { seed, durationMs, nodes, ...(grouped > 1 ? { grouped } : {}), network, faults };
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

function makeNetwork(random: SeededRandom, nodes: readonly NodePlan[]): NetworkPlan {
  // Sessions send forty packets a second: few schedules have them, and those a quiet network, as BFD wants it.
  const bfdSessions = random.chance(0.03);
  const ipv6 = nodes.every(({ version }) => version === 3) && random.chance(0.3);
  const delayMinMs = random.pick([0.05, 0.2, 1]);
  return {
    delayMinMs,
    delayMaxMs: delayMinMs + (bfdSessions ? 0.2 : random.pick([0, 0.2, 5, 30])),
    reorders: !bfdSessions && random.chance(0.3),
    duplicates: random.chance(0.2) ? 0.1 : 0,
    bfdMs: !bfdSessions && random.chance(0.3) ? 30 : 0,
    ...(bfdSessions ? { bfdSessions } : {}),
    ...(random.chance(0.25) ? { unicast: true } : {}),
    ...(ipv6 ? { family: 'ipv6' } : {}),
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Some faults, and at the end what makes the network whole; nodes may stay dead or out of service for the calm. */
interface Cluster {
  readonly nodes: readonly NodePlan[];
  readonly network: NetworkPlan;
  readonly grouped: number;
}

function addTrouble(faults: Fault[], random: SeededRandom, cluster: Cluster, span: Span): void {
  const count = 1 + random.below(8);
  for (let made = 0; made < count; made++) {
    const at = Math.round(span.start + random.fraction() * (span.end - span.start));
    addFault(faults, random, cluster, at, span.end);
  }
  faults.push({ at: span.end, kind: 'loss', probability: 0 }, { at: span.end, kind: 'mend' });
}

function addFault(faults: Fault[], random: SeededRandom, cluster: Cluster, at: number, end: number): void {
  const { nodes, network, grouped } = cluster;
  const node = random.below(nodes.length);
  /** The opposite a little later, within the window, or never. */
  const later = at + random.below(Math.max(1, Math.round((end - at) * 1.2)));
  const undone = later < end;
  const member = grouped > 1 && random.chance(0.6) ? { router: random.below(grouped) } : {};
  switch (random.below(14)) {
    case 0:
    case 1:
      faults.push({ at, kind: random.pick(['crash', 'kill', 'stop'] as const), node });
      if (undone) faults.push({ at: later, kind: 'restart', node });
      break;
    case 2:
      faults.push({ at, kind: 'link', node, up: false, ...member });
      if (undone) faults.push({ at: later, kind: 'link', node, up: true, ...member });
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
      faults.push({ at, kind: 'script', node, well: false, ...member });
      if (undone) faults.push({ at: later, kind: 'script', node, well: true, ...member });
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
    case 12:
      addForged(faults, random, cluster, { at, node });
      break;
    default:
      addOddity(faults, random, network, { at, node, peer: random.below(nodes.length), end });
  }
}

/** A message that must be ignored, of a priority that would turn everything around. */
function addForged(
  faults: Fault[],
  random: SeededRandom,
  { network }: Cluster,
  { at, node }: { readonly at: number; readonly node: number },
): void {
  const flaw = random.pick(
    network.unicast ? (['source', 'cast', 'router-id'] as const) : (['ttl', 'cast', 'router-id'] as const),
  );
  faults.push({ at, kind: 'forged', node, priority: random.pick([0, 255]), flaw });
}

function addOddity(
  faults: Fault[],
  random: SeededRandom,
  network: NetworkPlan,
  { at, node, peer, end }: { readonly at: number; readonly node: number; readonly peer: number; readonly end: number },
): void {
  const choice = random.below(3);
  if (choice === 0) faults.push({ at, kind: 'address-lost', node });
  else if (choice === 1 && !network.bfdSessions) faults.push({ at, kind: 'peer-lost', node, peer });
  else faults.push({ at, kind: 'pause', forMs: Math.min(end - at, random.pick([200, 350, 700, 1500])) });
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
