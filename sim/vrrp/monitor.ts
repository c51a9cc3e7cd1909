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
 */

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
  | 'timer';

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
  #now = 0;

  constructor(nodes: readonly SimNode[], network: Network) {
    this.#nodes = nodes;
    this.#network = network;
    this.#activeSince = nodes.map(() => 0);
    this.#dualSince = new Array(nodes.length * nodes.length).fill(-1);
  }

  check(now: number): Violation | undefined {
    this.#now = now;
    if (!this.#undisturbed) this.#quietSince = now;
    this.#checkEach(now);
    this.#checkPairs(now);
    this.#checkExpected(now);
    const settledMs = now - this.#quietSince - this.#boundMs();
    if (settledMs > 0) this.#checkSettled(now);
    if (settledMs > this.#announcedMs) this.#checkAnnounced(now);
    return this.#violation;
  }

  // ------------------------------------------------------------ what the world tells

  beforeFault(now: number): void {
    this.#expected = undefined;
    const settled = this.#undisturbed && now - this.#quietSince > this.#boundMs();
    const active = this.#nodes.filter((node) => node.active);
    this.#activeBefore = settled && active.length === 1 ? active[0] : undefined;
    this.#quietSince = now;
  }

  afterFault(now: number, fault: Fault): void {
    this.#dualSince.fill(-1);
    const gone = this.#activeBefore;
    if (gone === undefined || gone.active || !this.#undisturbed) return;
    const orderly = fault.kind !== 'crash' && fault.kind !== 'kill' && gone.linkUp;
    // Overtaken by the resignation, the last advertisement starts the timers anew: then it is as if nothing had been said.
    const heard = orderly && !this.#network.plan.reorders;
    const nodes = this.#electionNodes().map((node) =>
      node.name === nameOf(gone) && !heard ? { ...node, present: false } : node,
    );
    const step = takeOver(nodes, nameOf(gone), heard);
    if (step.kind !== 'resigned' && step.kind !== 'silent') return;
    this.#expected = { by: now + step.maxMs + 2 * this.#network.plan.delayMaxMs + epsilonMs, text: step.formula };
  }

  waking(node: SimNode, now: number): void {
    const { downTimerAdverts, advertisementIntervalMs } = node.settings;
    this.#waking = node;
    this.#stale = node.active && now - node.advertisedAt >= downTimerAdverts * advertisementIntervalMs;
  }

  awake(now: number): void {
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
      if (node.active && (!node.serving || node.handedOver || !node.scriptWell))
        this.#fail('serving', now, `${nameOf(node)} is active and should not be`);
      if (node.active !== node.holds(now))
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
    const { possible } = elect(this.#electionNodes(), undefined);
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

  /** Undisturbed, a router steps down only while a better one is active. */
  #checkYield(node: SimNode, now: number): void {
    if (
      this.#waking === node ||
      !this.#undisturbed ||
      now - this.#quietSince <= 2 * this.#network.plan.delayMaxMs + epsilonMs
    )
      return;
    const contender = (which: SimNode) => ({ priority: trackingOf(which).priority, source: which.source });
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

function trackingOf(node: SimNode) {
  const event = node.trackingEvent;
  return event.kind === 'tracking' ? event.tracking : { priority: 0, faults: [], pending: [] };
}

function nameOf(node: SimNode): string {
  return `node ${node.index}`;
}
