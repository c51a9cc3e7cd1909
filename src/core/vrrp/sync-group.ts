/**
 * A sync group (keepalived.conf(5) vrrp_sync_group): several virtual routers that are active together or not at all.
 *
 * The members are machines made with `grouped`; everything goes to them through the group. The group becomes active when every member
 * would be active by itself (Keepalived: "only sync to master if everyone wants to"), leaves as soon as one member has to, and
 * the faults of one member are faults of all.
 */

import type { VrrpAction, VrrpEvent } from './events.ts';
import type { VirtualRouterMachine } from './machine.ts';

export interface MemberAction {
  /** Index into the members; -1 for the group itself (log lines only). */
  readonly member: number;
  readonly action: VrrpAction;
}

export class SyncGroup {
  readonly name: string;
  readonly members: readonly VirtualRouterMachine[];
  #active: boolean;
  /** Members that came to a group that was active already (reload): they follow when each would be active by itself. */
  readonly #joining: Set<VirtualRouterMachine>;
  #now = 0;
  /** What the group told each member last, so that it is told only what is new; null: nothing yet, but another group may have. */
  readonly #told: (string | undefined | null)[];
  #log: MemberAction[] = [];

  constructor(name: string, members: readonly VirtualRouterMachine[]) {
    this.name = name;
    this.members = members;
    this.#told = members.map(() => null);
    this.#active = members.some(({ stateKind }) => stateKind === 'active');
    this.#joining = new Set(this.#active ? members.filter(({ stateKind }) => stateKind !== 'active') : []);
  }

  get active(): boolean {
    return this.#active;
  }

  /** After a reload: its members come as they are, from other groups or none. */
  begin(now: number): void {
    this.#now = now;
    this.#settle(now);
  }

  handle(member: number, event: VrrpEvent, now: number): void {
    this.handleTogether([member], event, now);
  }

  /** The same for several members, which act on it each by itself before the group draws its conclusions: all of them resign in good order. */
  handleTogether(members: readonly number[], event: VrrpEvent, now: number): void {
    this.#now = now;
    for (const member of members) this.members[member]!.handle(event, now);
    this.#settle(now);
  }

  /** Gives `timer` to every member whose deadline has come. */
  timer(now: number): void {
    for (const [index, member] of this.members.entries())
      if ((member.deadline() ?? Infinity) <= now) this.handle(index, { kind: 'timer' }, now);
  }

  deadline(): number | undefined {
    const earliest = Math.min(...this.members.map((member) => member.deadline() ?? Infinity));
    return earliest === Infinity ? undefined : earliest;
  }

  /** The next thing to do, in order within a member. */
  poll(): MemberAction | undefined {
    const said = this.#log.shift();
    if (said !== undefined) return said;
    for (const [index, member] of this.members.entries()) {
      const action = member.poll();
      if (action === undefined) continue;
      // Whoever claimed one address may have claimed them all: every member announces again.
      if (action.kind === 'lower-priority-heard') this.#tellOthers(index, { kind: 'group', wish: 'announce' });
      return { member: index, action };
    }
    return undefined;
  }

  #settle(now: number): void {
    this.#spreadFaults(now);
    for (const member of this.#joining)
      if (member.willing) {
        this.#joining.delete(member);
        member.handle({ kind: 'group', wish: 'active' }, now);
      }
    if (this.#active && this.members.some((member) => member.stateKind !== 'active' && !this.#joins(member))) {
      this.#active = false;
      this.#joining.clear();
      this.#say('Syncing instances to BACKUP state');
      for (const member of this.members) member.handle({ kind: 'group', wish: 'backup' }, now);
    } else if (!this.#active && this.members.every((member) => member.willing)) {
      this.#active = true;
      this.#say('Syncing instances to MASTER state');
      for (const member of this.members) member.handle({ kind: 'group', wish: 'active' }, now);
    }
  }

  /** Nothing speaks against it yet: not when it has heard another router that is active. */
  #joins(member: VirtualRouterMachine): boolean {
    return this.#joining.has(member) && member.status().heard === undefined;
  }

  #spreadFaults(now: number): void {
    for (const [index, member] of this.members.entries()) {
      const broken = this.members.find((other) => other !== member && other.ownFaults.length > 0);
      const reason = broken && `${broken.settings.name} of sync group ${this.name}: ${broken.ownFaults[0]}`;
      if (reason === this.#told[index]) continue;
      this.#told[index] = reason;
      member.handle({ kind: 'group-fault', reason }, now);
    }
  }

  #tellOthers(member: number, event: VrrpEvent): void {
    for (const [index, other] of this.members.entries()) if (index !== member) other.handle(event, this.#now);
  }

  #say(message: string): void {
    const action = { kind: 'log', severity: 'notice', message: `VRRP_Group(${this.name}) ${message}` } as const;
    this.#log.push({ member: -1, action });
  }
}
