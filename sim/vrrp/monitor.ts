/**
 * The invariants, checked after every step of a simulated schedule. Each has a name, so that a failure can be shrunk without turning into
 * another one.
 *
 * - `one-active`: once the network is whole and quiet for the bound that the timers give, exactly one node is active (none, if none is
 *   able), and it is one that `elect` names
 * - `two-active`: two active nodes that hear each other settle it within an interval
 * - `address`: a node holds the address exactly while it is active; settled, nobody else's kernel holds it
 * - `nopreempt`: a node with nopreempt takes nothing from an active one that it hears
 * - `yield`: undisturbed, an active node steps down only before a better one (priority, then address)
 * - `serving`: a node whose balancer does not serve, or that was handed over, is not active
 * - `late`: when the active one goes, a successor is active within the time that `takeOver` tells
 * - `announced`: settled, the network's idea of where the address lives is the active node
 * - `woke-late`: a process that was stopped longer than the others wait does not advertise before it has listened
 * - `timer`: a machine whose timer rang has its next deadline in the future
 * - `usurp`: nobody becomes active while a better one is, whom it had the time to hear; nor because everybody stood still for a moment
 * - `gap`: when an active node goes in an orderly way, some node holds the address at every moment
 * - `group`: the members of a sync group are active together or not at all
 */

import { peerPaceMs } from '../../src/core/bfd/pace.ts';
import { peerBfd } from '../../src/core/limits.ts';
import { shortStallMs } from '../../src/core/vrrp/active-state.ts';
import { type ElectionNode, elect, takeOver } from '../../src/core/vrrp/election.ts';
import type { VrrpAction } from '../../src/core/vrrp/events.ts';
import { compareContenders } from '../../src/core/vrrp/order.ts';
import type { Network } from './network.ts';
import type { SimNode } from './node.ts';
import type { Fault } from './schedule.ts';

export type InvariantName =
  | 'one-active'
  | 'two-active'
  | 'address'
  | 'nopreempt'
  | 'yield'
  | 'serving'
  | 'late'
  | 'announced'
  | 'woke-late'
  | 'timer'
  | 'usurp'
  | 'gap'
  | 'group';

export interface Violation {
  readonly invariant: InvariantName;
  readonly at: number;
  readonly text: string;
}

/** Rounding of sums of milliseconds. */
const epsilonMs = 0.001;

export class Monitor {
  readonly #nodes: readonly SimNode[];
  readonly #network: Network;
  #violation: Violation | undefined;
  /** Since when nothing disturbs; meaningless while something does. */
  #quietSince = 0;
  /** For each pair: since when both are active and hear each other. */
  readonly #dualSince: number[];
  /** Where the network believes the address to be. */
  #announcedBy: number | undefined;
  /** Somebody must be active again by then. */
  #expected: { readonly by: number; readonly text: string } | undefined;
  #activeBefore: SimNode | undefined;
  /** Working off what waited while it was stopped; `stale`: others must have given it up meanwhile. */
  #waking: SimNode | undefined;
  #stale = false;
  readonly #activeSince: number[];
  /** Since when each is run and linked, its link is up, and nothing is lost on the way. */
  readonly #steadySince: number[];
  readonly #linkedSince: number[];
  #wholeSince = 0;
  /** The last fault that may change who is active. */
  #faultAt = 0;
  #faults = 0;
  /** Nobody else may become active until then. */
  #unchanged: { readonly node: SimNode; readonly until: number } | undefined;
  /** Somebody must hold the address until then. */
  #heldUntil = -Infinity;
  /** Was told last that it lost a neighbour, which need not be so; believed when it is run again. */
  #misled = -1;
  #possible: readonly string[] = [];
  #electedAt = -1;
  #now = 0;

  constructor(nodes: readonly SimNode[], network: Network) {
    this.#nodes = nodes;
    this.#network = network;
    this.#activeSince = nodes.map(() => 0);
    this.#steadySince = nodes.map(() => 0);
    this.#linkedSince = nodes.map(() => 0);
    this.#dualSince = new Array(nodes.length * nodes.length).fill(-1);
  }

  check(now: number): Violation | undefined {
    this.#now = now;
    if (!this.#undisturbed) this.#quietSince = now;
    if (!this.#network.whole) this.#wholeSince = now;
    for (const node of this.#nodes) {
      if (!node.linkUp) this.#linkedSince[node.index] = now;
      if (!node.linkUp || !node.runs) this.#steadySince[node.index] = now;
    }
    this.#checkEach(now);
    this.#checkPairs(now);
    this.#checkExpected(now);
    if (now <= this.#heldUntil && !this.#nodes.some((node) => node.holds(now)))
      this.#fail('gap', now, 'nobody holds the address');
    const settledMs = now - this.#quietSince - this.#boundMs();
    if (settledMs > 0) this.#checkSettled(now);
    if (settledMs > this.#announcedMs) this.#checkAnnounced(now);
    return this.#violation;
  }

  // ------------------------------------------------------------ what the world tells

  beforeFault(now: number, fault: Fault): void {
    // What must be ignored changes nothing that is expected.
    if (fault.kind === 'forged') return;
    if (fault.kind === 'peer-lost') this.#misled = fault.node;
    this.#expected = undefined;
    this.#unchanged = undefined;
    this.#heldUntil = -Infinity;
    const settled = this.#undisturbed && now - this.#quietSince > this.#boundMs();
    const active = this.#nodes.filter((node) => node.active);
    this.#activeBefore = settled && active.length === 1 ? active[0] : undefined;
    this.#quietSince = now;
    if (fault.kind !== 'stall' && fault.kind !== 'pause') this.#faultAt = now;
  }

  afterFault(now: number, fault: Fault): void {
    if (fault.kind === 'forged') return;
    this.#faults++;
    this.#dualSince.fill(-1);
    const before = this.#activeBefore;
    if (before === undefined) return;
    if (fault.kind === 'pause') this.#expectUnchanged(before, now, fault.forMs);
    if (!this.#undisturbed) return;
    this.#expectHeld(now, fault);
    if (!before.active) this.#expectSuccessor(before, now, fault);
  }

  #expectSuccessor(gone: SimNode, now: number, fault: Fault): void {
    const orderly = fault.kind !== 'crash' && fault.kind !== 'kill' && gone.linkUp;
    // Overtaken by the resignation, the last advertisement starts the timers anew: then it is as if nothing had been said. A group waits
    // for its slowest member.
    const heard = orderly && !this.#network.plan.reorders && gone.host.nodes.length === 1;
    const nodes = this.#electionNodes().map((node) =>
      node.name === nameOf(gone) && !heard ? { ...node, present: false } : node,
    );
    const step = takeOver(nodes, nameOf(gone), heard);
    if (step.kind !== 'resigned' && step.kind !== 'silent') return;
    const watched = !orderly && this.#faults === 1 && this.#network.plan.bfdSessions === true && this.#allOurs;
    const paces = this.#electionNodes().map(({ settings }) => peerPaceMs(settings.advertisementIntervalMs));
    const maxMs = watched ? Math.min(step.maxMs, Math.max(...paces) * peerBfd.multiplier) : step.maxMs;
    const text = watched ? 'BFD notices it' : step.formula;
    this.#expected = { by: now + maxMs + 2 * this.#network.plan.delayMaxMs + epsilonMs, text };
  }

  /** For a moment nothing moved: the active node is heard again before anybody's patience is at an end. */
  #expectUnchanged(node: SimNode, now: number, forMs: number): void {
    const { advertisementIntervalMs, downTimerAdverts } = node.settings;
    if (forMs < (downTimerAdverts - 1) * advertisementIntervalMs)
      this.#unchanged = { node, until: now + forMs + advertisementIntervalMs };
  }

  /** Make before break: the one that goes keeps the addresses until its successor was heard. */
  #expectHeld(now: number, fault: Fault): void {
    const orderly = fault.kind === 'stop' || fault.kind === 'handover' || fault.kind === 'priority';
    const successor = elect(this.#electionNodes(), undefined).active !== undefined;
    if (orderly && successor && !this.#network.plan.reorders && this.#allOurs) this.#heldUntil = now + 1000;
  }

  waking(node: SimNode, now: number): void {
    const { downTimerAdverts, advertisementIntervalMs } = node.settings;
    this.#waking = node;
    const shortMs = advertisementIntervalMs + shortStallMs;
    const patienceMs = Math.max(downTimerAdverts * advertisementIntervalMs, shortMs);
    this.#stale = node.active && now - node.advertisedAt >= patienceMs;
  }

  awake(now: number): void {
    if (this.#waking !== undefined) this.#steadySince[this.#waking.index] = now;
    this.#waking = undefined;
    this.#quietSince = now;
    this.#dualSince.fill(-1);
  }

  sending(node: SimNode, priority: number, now: number): void {
    if (this.#waking === node && this.#stale && priority > 0)
      this.#fail('woke-late', now, `${nameOf(node)} advertises ${now - node.advertisedAt} ms after its last word`);
  }

  changed(node: SimNode, change: Extract<VrrpAction, { readonly kind: 'state-changed' }>, now: number): void {
    if (change.from === 'active') this.lost(node);
    if (change.to === 'active') this.#activeSince[node.index] = now;
    if (change.from === 'active' && change.to === 'backup') this.#checkYield(node, now);
    if (change.to === 'active' && !node.settings.preempt) this.#checkNopreempt(node, now);
    if (change.to === 'active') this.#checkUsurped(node, now);
  }

  /** A node that announced and stepped down while its last word may be lost: nobody can know that the network must be told again. */
  lost(node: SimNode): void {
    const unheard = !this.#network.whole || !node.linkUp;
    if (unheard && this.#announcedBy === node.index) this.#announcedBy = undefined;
  }

  /** Killed while there were two: the other one may never have heard of it. */
  died(node: SimNode): void {
    this.lost(node);
    const rival = this.#nodes.some((other) => other !== node && other.active);
    if (node.active && rival && this.#announcedBy === node.index) this.#announcedBy = undefined;
  }

  announced(node: SimNode): void {
    // A straggler of a node that has let go meanwhile, see `lost`.
    this.#announcedBy = node.active || this.#network.whole ? node.index : undefined;
  }

  stuckTimer(node: SimNode): void {
    this.#fail('timer', this.#now, `${nameOf(node)} has a deadline that has passed`);
  }

  // ------------------------------------------------------------ the invariants

  #checkEach(now: number): void {
    for (const node of this.#nodes) {
      if (!node.runs) continue;
      if (node.active && (!node.serving || node.handedOver || !node.able))
        this.#fail('serving', now, `${nameOf(node)} is active and should not be`);
      if (node.host.nodes.some((other) => other.active !== node.active))
        this.#fail('group', now, `${nameOf(node)}: one member is active, another is not`);
      const lingers = !node.active && node.lingersUntil < Infinity;
      if (node.active !== node.holds(now) && !lingers)
        this.#fail(
          'address',
          now,
          `${nameOf(node)} is ${node.active ? '' : 'not '}active and holds ${node.holds(now)}`,
        );
    }
  }

  #checkPairs(now: number): void {
    const { length } = this.#nodes;
    for (let left = 0; left < length; left++)
      for (let right = left + 1; right < length; right++) this.#checkPair(left, right, now);
  }

  #checkPair(left: number, right: number, now: number): void {
    const [a, b] = [this.#nodes[left]!, this.#nodes[right]!];
    const pair = left * this.#nodes.length + right;
    const dual = a.active && b.active && this.#hear(a, b) && this.#hear(b, a) && this.#network.loss === 0;
    if (!dual) this.#dualSince[pair] = -1;
    else if (this.#dualSince[pair] === -1) this.#dualSince[pair] = now;
    const bound = Math.max(a.plan.intervalMs, b.plan.intervalMs) + this.#network.plan.delayMaxMs + epsilonMs;
    if (dual && now - this.#dualSince[pair]! > bound)
      this.#fail('two-active', now, `${nameOf(a)} and ${nameOf(b)} since ${this.#dualSince[pair]}`);
  }

  #checkExpected(now: number): void {
    if (this.#expected === undefined) return;
    if (this.#nodes.some((node) => node.active)) this.#expected = undefined;
    else if (now > this.#expected.by) this.#fail('late', now, `nobody is active: ${this.#expected.text}`);
  }

  #checkSettled(now: number): void {
    const active = this.#nodes.filter((node) => node.active).map(nameOf);
    // What it depends on changes with the quiet only.
    if (this.#electedAt !== this.#quietSince) {
      this.#possible = elect(this.#electionNodes(), undefined).possible;
      this.#electedAt = this.#quietSince;
    }
    const possible = this.#possible;
    if (active.length !== Math.min(1, possible.length) || !active.every((name) => possible.includes(name)))
      this.#fail(
        'one-active',
        now,
        `active: ${active.join(' and ') || 'nobody'}; possible: ${possible.join(', ') || 'nobody'}`,
      );
    for (const node of this.#nodes)
      if (!node.active && !node.plan.foreign && node.holds(now))
        this.#fail('address', now, `${nameOf(node)} still holds the address`);
  }

  #checkAnnounced(now: number): void {
    // Foreign routers step down without a word, so that their winners may never announce: seen with Keepalived, not our promise.
    if (this.#announcedBy === undefined || this.#nodes.some(({ plan }) => plan.foreign)) return;
    const active = this.#nodes.find((node) => node.active);
    if (active !== undefined && active.index !== this.#announcedBy)
      this.#fail('announced', now, `${nameOf(active)} is active, the network sends to node ${this.#announcedBy}`);
  }

  /** It must have heard the active router by now, and after any straggler: undisturbed, that one spoke twice since. */
  #checkNopreempt(node: SimNode, now: number): void {
    if (!this.#undisturbed) return;
    for (const rival of this.#nodes) {
      if (rival === node || !rival.active || !this.#hear(rival, node)) continue;
      const since = Math.max(this.#quietSince, this.#activeSince[rival.index]!);
      if (now - since > 2 * rival.plan.intervalMs + 2 * this.#network.plan.delayMaxMs + epsilonMs)
        this.#fail('nopreempt', now, `${nameOf(node)} takes over from ${nameOf(rival)}`);
    }
  }

  /** A better one was active all the time, nothing stood between them, and its word has had the time to arrive. */
  #checkUsurped(node: SimNode, now: number): void {
    if (this.#unchanged !== undefined && now <= this.#unchanged.until && node !== this.#unchanged.node)
      this.#fail('usurp', now, `${nameOf(node)} takes over after everybody stood still`);
    if (this.#waking === node && this.#misled === node.index) return;
    const since = Math.max(this.#faultAt, this.#wholeSince, this.#linkedSince[node.index]!);
    for (const rival of this.#nodes) {
      const better = rival.active && rival.runs && compareContenders(contender(rival), contender(node)) > 0;
      if (!better) continue;
      const heardMs = now - Math.max(since, this.#steadySince[rival.index]!, this.#activeSince[rival.index]!);
      if (heardMs > 2 * rival.plan.intervalMs + 2 * this.#network.plan.delayMaxMs + epsilonMs)
        this.#fail('usurp', now, `${nameOf(node)} takes over from ${nameOf(rival)}, which is better`);
    }
  }

  /** Undisturbed, a router steps down only while a better one is active. */
  #checkYield(node: SimNode, now: number): void {
    if (
      this.#waking === node ||
      !this.#undisturbed ||
      now - this.#quietSince <= 2 * this.#network.plan.delayMaxMs + epsilonMs
    )
      return;
    const better = this.#nodes.some(
      (rival) => rival.active && compareContenders(contender(rival), contender(node)) > 0,
    );
    if (!better) this.#fail('yield', now, `${nameOf(node)} steps down and no better one is active`);
  }

  // ------------------------------------------------------------ conditions and bounds

  /** The network is whole and every process that lives is run. */
  get #undisturbed(): boolean {
    return this.#network.whole && this.#nodes.every((node) => node.machine === undefined || node.runs);
  }

  get #allOurs(): boolean {
    return this.#nodes.every(({ plan }) => !plan.foreign);
  }

  /** A frame that was overtaken may come last; then only the second burst (garp_master_delay) tells the truth. */
  get #announcedMs(): number {
    return this.#network.plan.reorders ? this.#nodes[0]!.settings.garp.delayMs + 1000 : 0;
  }

  #hear(from: SimNode, to: SimNode): boolean {
    return from.runs && to.runs && from.linkUp && to.linkUp && this.#network.connects(from.index, to.index);
  }

  /**
   * How long after the last disturbance everything is settled: a lost active is given up after the longest Active_Down_Interval; whoever
   * was heard until then can put a higher one off once more, by that time and its preempt_delay; the last duel takes an interval.
   */
  #boundMs(): number {
    let interval = 0;
    let delay = 0;
    for (const { plan } of this.#nodes) {
      interval = Math.max(interval, plan.intervalMs);
      delay = Math.max(delay, plan.preemptDelayMs);
    }
    const skew = Math.max(interval, 1000);
    return 2 * (3 * interval + skew) + delay + interval + 1000 + 6 * this.#network.plan.delayMaxMs;
  }

  #electionNodes(): readonly ElectionNode[] {
    return this.#nodes.map((node) => ({
      name: nameOf(node),
      settings: node.settings,
      source: node.source,
      tracking: trackingOf(node),
      present: node.runs && node.linkUp,
      serving: node.serving && !node.handedOver,
    }));
  }

  #fail(invariant: InvariantName, at: number, text: string): void {
    this.#violation ??= { invariant, at, text };
  }
}

/** With what its group says: another member's trouble is its own. */
function trackingOf(node: SimNode) {
  const { tracking } = node.trackingEvent;
  return node.able || tracking.faults.length > 0 ? tracking : { ...tracking, faults: ['another member'] };
}

function contender(node: SimNode) {
  return { priority: trackingOf(node).priority, source: node.source };
}

function nameOf(node: SimNode): string {
  return `node ${node.index}`;
}
