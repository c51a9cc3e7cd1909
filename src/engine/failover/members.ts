/**
 * The virtual routers of this host with their places, alone or in a sync group: what hands events to the machines and has carried out
 * what they ask for.
 */
import type { VrrpAction, VrrpEvent } from '../../core/vrrp/events.ts';
import { SyncGroup } from '../../core/vrrp/sync-group.ts';
import type { SyncGroupPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { Clock } from '../ports/time.ts';
import type { RouterDriver } from './router-driver.ts';

export interface Member {
  readonly driver: RouterDriver;
  group: { readonly plan: SyncGroupPlan; readonly machine: SyncGroup; readonly index: number } | undefined;
  /** What it was told of the tracked objects last. */
  trackingTold: string;
}

export interface MembersWorld {
  readonly clock: Clock;
  readonly journal: Journal;
  carryOut(member: Member, action: VrrpAction): void;
  /** All that was asked for has been carried out. */
  settled(): void;
}

export class Members {
  readonly #world: MembersWorld;
  #all: readonly Member[] = [];
  #groups: readonly SyncGroup[] = [];
  /** Machines may have actions waiting; actions can cause events, so carrying out must not nest. */
  #pumping = false;

  constructor(world: MembersWorld) {
    this.#world = world;
  }

  get all(): readonly Member[] {
    return this.#all;
  }

  get groups(): readonly SyncGroup[] {
    return this.#groups;
  }

  /** In the plan's order, to which the groups' numbers refer. A group whose members are the same as before goes on. */
  set(all: readonly Member[], groups: readonly SyncGroupPlan[]): void {
    this.#all = all;
    const grouped = new Set(groups.flatMap(({ members }) => members));
    for (const [index, { driver, ...before }] of all.entries()) {
      driver.machine.grouped = grouped.has(index);
      // What its group told it last is over; another one tells it anew.
      if (before.group !== undefined && !driver.machine.grouped)
        driver.machine.handle({ kind: 'group-fault', reason: undefined }, this.#world.clock.now());
    }
    for (const member of all) member.group = undefined;
    this.#groups = groups.map((plan) => {
      const members = plan.members.map((index) => all[index]);
      const machines = members.map(({ driver }) => driver.machine);
      const before = this.#groups.find(
        (group) =>
          group.name === plan.name &&
          group.members.length === machines.length &&
          group.members.every((machine, index) => machine === machines[index]),
      );
      const machine = before ?? new SyncGroup(plan.name, machines);
      for (const [index, member] of members.entries()) member.group = { plan, machine, index };
      if (before === undefined) machine.begin(this.#world.clock.now());
      return machine;
    });
  }

  named(name: string): Member | undefined {
    return this.#all.find(({ driver }) => driver.settings.name === name);
  }

  /** Its sync group goes on without it, whatever becomes of it now. */
  detach(member: Member): void {
    member.group = undefined;
  }

  give(member: Member, event: VrrpEvent): void {
    this.giveTogether([member], event);
  }

  /** The same to several: those of a sync group act on it together. */
  giveTogether(members: readonly Member[], event: VrrpEvent): void {
    const now = this.#world.clock.now();
    const grouped = new Map<SyncGroup, number[]>();
    for (const { driver, group } of members) {
      if (group === undefined) driver.machine.handle(event, now);
      else grouped.set(group.machine, [...(grouped.get(group.machine) ?? []), group.index]);
    }
    for (const [group, indexes] of grouped) group.handleTogether(indexes, event, now);
    this.#pump();
  }

  /** The machines' and the addresses' deadlines; Infinity: none. */
  deadline(): number {
    let earliest = Infinity;
    for (const { driver } of this.#all)
      earliest = Math.min(earliest, driver.machine.deadline() ?? Infinity, driver.deadline());
    return earliest;
  }

  /** Whatever is due by now. */
  timer(now: number): void {
    for (const { driver } of this.#all) driver.timer(now);
    for (const member of this.#all)
      if ((member.driver.machine.deadline() ?? Infinity) <= now) this.give(member, { kind: 'timer' });
  }

  /** Has everything carried out that any machine asks for. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let again = true; again; ) {
      again = false;
      for (const group of this.#groups)
        for (let said = group.poll(); said !== undefined; said = group.poll()) {
          again = true;
          const member = this.#all.find(({ driver }) => driver.machine === group.members[said!.member]);
          if (member !== undefined) this.#world.carryOut(member, said.action);
          else if (said.action.kind === 'log') this.#world.journal.log(said.action.severity, said.action.message);
        }
      for (const member of this.#all)
        for (let action = member.driver.machine.poll(); action !== undefined; action = member.driver.machine.poll()) {
          again = true;
          this.#world.carryOut(member, action);
        }
    }
    this.#world.settled();
    this.#pumping = false;
  }
}
