/** One host of the simulation: the process with its machine, and the kernel with its link and addresses, which outlives the process. */

import type { VrrpEvent } from '../../src/core/vrrp/events.ts';
import { leaseSeconds } from '../../src/core/vrrp/intervals.ts';
import type { VirtualRouterMachine } from '../../src/core/vrrp/machine.ts';
import type { VirtualRouterSettings } from '../../src/core/vrrp/settings.ts';
import { type NodePlan, settingsOf } from './schedule.ts';

/** The machine under test, or a mutant of it. */
export type MachineClass = new (settings: VirtualRouterSettings) => VirtualRouterMachine;

export class SimNode {
  readonly index: number;
  readonly source: string;
  plan: NodePlan;
  settings: VirtualRouterSettings;
  /** Undefined: the process does not run. */
  machine: VirtualRouterMachine | undefined;
  linkUp = true;
  serving = true;
  handedOver = false;
  scriptWell = true;
  priorityChange = 0;
  /** Not run until it wakes up; what comes in meanwhile waits. */
  stalled = false;
  stalledUntil = -Infinity;
  readonly waiting: VrrpEvent[] = [];
  /** The kernel has the virtual address until then (its lease); -Infinity: not at all. */
  heldUntil = -Infinity;
  /** When it last advertised itself as active. */
  advertisedAt = -Infinity;
  /** The earliest timer that stands in the queue. */
  timerAt = Infinity;

  constructor(index: number, plan: NodePlan) {
    this.index = index;
    this.source = `10.0.0.${index + 1}`;
    this.plan = plan;
    this.settings = settingsOf(plan);
  }

  get active(): boolean {
    return this.machine?.stateKind === 'active';
  }

  get runs(): boolean {
    return this.machine !== undefined && !this.stalled;
  }

  holds(now: number): boolean {
    return now < this.heldUntil;
  }

  /** Lasts until everybody else has given the router up, in whole seconds as the kernel counts; a foreign daemon sets no lifetime. */
  renewLease(now: number): void {
    const { advertisementIntervalMs, downTimerAdverts } = this.settings;
    this.heldUntil = this.plan.foreign
      ? Infinity
      : now + leaseSeconds(advertisementIntervalMs, downTimerAdverts) * 1000;
  }

  reload(plan: NodePlan): void {
    this.plan = plan;
    this.settings = settingsOf(plan);
  }

  get trackingEvent(): VrrpEvent {
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
