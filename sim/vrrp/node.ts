/**
 * One host of the simulation, and each of its virtual routers: the process with its machines, and the kernel with its links and addresses,
 * which outlives the process.
 */

import type { VrrpEvent } from '../../src/core/vrrp/events.ts';
import { leaseSeconds } from '../../src/core/vrrp/intervals.ts';
import type { VirtualRouterMachine } from '../../src/core/vrrp/machine.ts';
import { multicastGroups } from '../../src/core/vrrp/packet.ts';
import type { VirtualRouterSettings } from '../../src/core/vrrp/settings.ts';
import type { SyncGroup } from '../../src/core/vrrp/sync-group.ts';
import { settingsWith, virtualAddress } from '../../src/core/vrrp/test-settings.ts';
import type { HostBfd } from './bfd.ts';
import type { NodePlan, Schedule } from './schedule.ts';

/** From a successor's first advertisement until it has the addresses: as the daemon's driver has it. */
const successorMs = 20;

/** The process of one host. */
export class SimHost {
  readonly index: number;
  readonly nodes: readonly SimNode[];
  group: SyncGroup | undefined;
  bfd: HostBfd | undefined;
  /** Not run until it wakes up; what comes in meanwhile waits. */
  stalled = false;
  stalledUntil = -Infinity;

  constructor(index: number, schedule: Schedule) {
    this.index = index;
    const members = schedule.grouped ?? 1;
    this.nodes = Array.from({ length: members }, (_, router) => new SimNode(this, router, schedule));
  }

  get alive(): boolean {
    return this.nodes[0]!.machine !== undefined;
  }

  get runs(): boolean {
    return this.alive && !this.stalled;
  }
}

/** One virtual router on one host. */
export class SimNode {
  readonly host: SimHost;
  readonly index: number;
  /** Which member of the sync group it is; 0 without one. */
  readonly router: number;
  readonly source: string;
  readonly #schedule: Schedule;
  plan: NodePlan;
  settings: VirtualRouterSettings;
  /** Undefined: the process does not run. */
  machine: VirtualRouterMachine | undefined;
  linkUp = true;
  serving = true;
  handedOver = false;
  scriptWell = true;
  priorityChange = 0;
  readonly waiting: VrrpEvent[] = [];
  /** The kernel has the virtual address until then (its lease); -Infinity: not at all. */
  heldUntil = -Infinity;
  /** No longer active, the address goes then. */
  lingersUntil = Infinity;
  /** When it last advertised itself as active. */
  advertisedAt = -Infinity;
  /** The earliest timer that stands in the queue. */
  timerAt = Infinity;

  constructor(host: SimHost, router: number, schedule: Schedule) {
    this.host = host;
    this.index = host.index;
    this.router = router;
    this.#schedule = schedule;
    this.source = sourceOf(schedule, host.index, router);
    this.plan = schedule.nodes[host.index]!;
    this.settings = settingsOf(this.plan, schedule, host.index, router);
  }

  get active(): boolean {
    return this.machine?.stateKind === 'active';
  }

  get runs(): boolean {
    return this.machine !== undefined && !this.host.stalled;
  }

  /** Nothing here or in another member of the group keeps it from being active. */
  get able(): boolean {
    return this.host.nodes.every(({ linkUp, scriptWell }) => linkUp && scriptWell);
  }

  holds(now: number): boolean {
    return now < Math.min(this.heldUntil, this.lingersUntil);
  }

  /** Lasts until everybody else has given the router up, in whole seconds as the kernel counts; a foreign daemon sets no lifetime. */
  renewLease(now: number): void {
    const { advertisementIntervalMs, downTimerAdverts } = this.settings;
    this.heldUntil = this.plan.foreign
      ? Infinity
      : now + leaseSeconds(advertisementIntervalMs, downTimerAdverts) * 1000;
  }

  takeAddress(now: number): void {
    this.lingersUntil = Infinity;
    this.renewLease(now);
  }

  letGo(lingerMs: number, now: number): void {
    if (lingerMs > 0) this.lingersUntil = now + lingerMs;
    else this.heldUntil = -Infinity;
  }

  /** The successor speaks first and has the addresses a moment later. */
  heardSuccessor(now: number): void {
    if (this.lingersUntil < Infinity) this.lingersUntil = Math.min(this.lingersUntil, now + successorMs);
  }

  reload(plan: NodePlan): void {
    this.plan = plan;
    this.settings = settingsOf(plan, this.#schedule, this.index, this.router);
  }

  /** What its own tracking says; the group spreads faults by itself. */
  get trackingEvent(): VrrpEvent & { readonly kind: 'tracking' } {
    const owner = this.plan.priority === 255;
    const priority = owner ? 255 : Math.min(254, Math.max(1, this.plan.priority + this.priorityChange));
    const faults = this.scriptWell ? [] : ['script failed'];
    return { kind: 'tracking', tracking: { priority, faults, pending: [] } };
  }

  /** What a daemon tells a new machine before it starts it. */
  get firstFacts(): readonly VrrpEvent[] {
    const address = this.linkUp ? this.source : undefined;
    return [
      { kind: 'link', up: this.linkUp, address },
      { kind: 'serving', serving: this.serving },
      this.trackingEvent,
      { kind: 'start' },
    ];
  }
}

function sourceOf({ network }: Schedule, index: number, router: number): string {
  return network.family === 'ipv6' ? `fe80::${router}:${index + 1}` : `10.0.${router}.${index + 1}`;
}

function settingsOf(plan: NodePlan, schedule: Schedule, index: number, router: number): VirtualRouterSettings {
  const base = settingsWith();
  const { unicast = false, family = 'ipv4' } = schedule.network;
  const peers = schedule.nodes
    .map((_, other) => ({ address: sourceOf(schedule, other, router), ttlMin: undefined, ttlMax: undefined }))
    .filter((_, other) => other !== index);
  const address = family === 'ipv4' ? `10.42.${router}.240` : `fe80::42:${router}`;
  return {
    ...base,
    name: `vr${router}`,
    interface: `eth${router}`,
    family,
    addresses: [virtualAddress(address)],
    basePriority: plan.priority,
    version: plan.version,
    advertisementIntervalMs: plan.intervalMs,
    preempt: plan.preempt,
    preemptDelayMs: plan.preemptDelayMs,
    resignIsImmediate: !plan.foreign,
    splitIsAnnounced: !plan.foreign,
    transport: unicast
      ? { kind: 'unicast', source: sourceOf(schedule, index, router), peers, checkSource: true, ttl: undefined }
      : { kind: 'multicast', group: multicastGroups[family], source: undefined },
    garp: { ...base.garp, delayMs: 5000 },
  };
}
