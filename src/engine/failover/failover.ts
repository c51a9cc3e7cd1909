/**
 * The VRRP daemon's engine: the plan's virtual routers and sync groups, what they track, and who is told. It holds the machines, gives
 * them every event, and has their actions carried out. Pure: all effects go through the ports.
 */
import { handoff, peerBfd } from '../../core/limits.ts';
import { AnnouncementSchedule } from '../../core/vrrp/announcement-schedule.ts';
import type { VrrpAction, VrrpEvent } from '../../core/vrrp/events.ts';
import { VirtualRouterMachine } from '../../core/vrrp/machine.ts';
import type { SyncGroup } from '../../core/vrrp/sync-group.ts';
import type { VirtualRouterPlan, VrrpPlan } from '../../plan/vrrp.ts';
import type { Links } from '../ports/links.ts';
import type { Alarm } from '../ports/time.ts';
import { isVirtualAddress, tellAddresses } from './assigned-addresses.ts';
import { BfdSessions, type FollowedPeer } from './bfd-sessions.ts';
import { type CommandSafety, judgeCommands } from './command-safety.ts';
import { type AddressConflict, ConflictWatch } from './conflict-watch.ts';
import { Ending } from './ending.ts';
import type { FailoverOptions, FailoverPorts } from './failover-ports.ts';
import { LinkEvents } from './link-events.ts';
import { type Member, Members } from './members.ts';
import { noticeLowerHeard, noticePriority, noticeState, repeatStates } from './notices.ts';
import { Notifier } from './notifier.ts';
import { newNames, stayingMembers, underNewNames } from './reloading.ts';
import { RouterDriver } from './router-driver.ts';
import { SettledLinks } from './settled-links.ts';
import { StaticHoldings } from './static-holdings.ts';
import { runTimed } from './timed-command.ts';
import { Timetable } from './timetable.ts';
import { TrackedObjects } from './tracked-objects.ts';
import { UnknownVrids } from './unknown-vrids.ts';

export class Failover {
  readonly #ports: FailoverPorts;
  readonly #options: FailoverOptions;
  readonly #announcements = new AnnouncementSchedule();
  readonly #timetable: Timetable;
  readonly #startAlarm: Alarm;
  readonly #statics: StaticHoldings;
  readonly #conflicts: ConflictWatch;
  readonly #bfd: BfdSessions | undefined;
  readonly #linkEvents: LinkEvents;
  #ending: Ending | undefined;
  readonly #members: Members;
  readonly #links: SettledLinks;
  readonly #unknownVrids: UnknownVrids;
  #handedOver: Set<string>;
  /** Told at a reload which routers go on under other names, by their old ones. */
  renamed: (names: ReadonlyMap<string, string>) => void = () => {};
  readonly #trackedChanged = () => this.#tracking();
  #plan: VrrpPlan;
  #safety: CommandSafety;
  #tracked: TrackedObjects | undefined;
  #notifier: Notifier;
  #serving: boolean | 'unknown';
  /** Undefined: no balancer belongs to this daemon. */
  #serversLeft: boolean | undefined;
  #running = false;
  #deleting = false;
  #stopped = false;

  constructor(plan: VrrpPlan, given: FailoverPorts, options: FailoverOptions) {
    this.#links = new SettledLinks(given.links, given.clock, given.journal);
    this.#links.configure(plan.global.interfaceDelays);
    const ports = { ...given, links: this.#links };
    this.#announcements.configure(plan.global.garpGroups);
    this.#unknownVrids = new UnknownVrids(ports.journal);
    this.#plan = plan;
    this.#ports = ports;
    this.#options = options;
    this.#handedOver = new Set(options.handedOver);
    this.#serving = options.awaitsBalancer ? 'unknown' : true;
    this.#serversLeft = options.awaitsBalancer ? true : undefined;
    this.#members = new Members({
      ...ports,
      carryOut: (member, action) => this.#carryOut(member, action),
      settled: () => {
        this.#sendAnnouncements();
        if (this.#running) this.#conflicts.update(this.drivers);
      },
    });
    this.#startAlarm = ports.clock.alarm(() => this.#begin());
    this.#statics = new StaticHoldings(ports.links, ports.journal);
    this.#safety = judgeCommands(plan, ports);
    this.#linkEvents = new LinkEvents({
      packets: ports.packets,
      members: this.#members,
      statics: this.#statics,
      tracking: () => this.#tracking(),
      told: () => this.#schedule(),
    });
    this.#conflicts = new ConflictWatch(ports, (router, address, hardwareAddress) =>
      this.#linkEvents.addressClaimed(router, address, hardwareAddress),
    );
    this.#notifier = new Notifier(plan, ports, (command) => this.#safety.usable(command));
    this.#bfd =
      ports.bfd &&
      new BfdSessions(
        { ...ports, ...ports.bfd },
        {
          lost: (source, index) => this.#toAll({ kind: 'peer-lost', source }, (driver) => driver.heedsBfdOn(index)),
          changed: () => this.#tracking(),
          moved: () => {
            if (this.#running) this.#timetable.planBfd();
          },
          answersOn: (index) => this.drivers.some((driver) => driver.heedsBfdOn(index)),
        },
      );
    this.#timetable = new Timetable(ports.clock, ports.packets, this.#bfd, {
      deadline: () => Math.min(this.#announcements.deadline() ?? Infinity, this.#members.deadline()),
      timer: (now) => {
        this.#members.timer(now);
        this.#sendAnnouncements();
        this.#schedule();
      },
    });
  }

  get links(): Links {
    return this.#ports.links;
  }

  get plan(): VrrpPlan {
    return this.#plan;
  }

  get drivers(): readonly RouterDriver[] {
    return this.#members.all.map(({ driver }) => driver);
  }

  get groups(): readonly SyncGroup[] {
    return this.#members.groups;
  }

  get tracked(): TrackedObjects | undefined {
    return this.#tracked;
  }

  /** Is there a session with that host, on that router's link, that nobody wrote? */
  watches(host: string, { linkIndex }: RouterDriver): boolean {
    return this.#bfd?.companion(host, linkIndex) === 'up';
  }

  /** Who else claimed addresses of that router lately. */
  conflicts(router: string): readonly AddressConflict[] {
    return this.#conflicts.conflicts(router);
  }

  start(): void {
    const { clock, links, journal } = this.#ports;
    links.watch(this.#linkEvents);
    const { startupDelayMs, delayAfterBootMs, startupScript } = this.#plan.global;
    const begin = () => {
      if (!this.#stopped) this.#begin();
    };
    const delayMs = Math.max(startupDelayMs, delayAfterBootMs - this.#options.sinceBootMs);
    if (delayMs > 0) {
      journal.log('info', `Delaying startup for ${(delayMs / 1000).toFixed(0)} seconds`);
      this.#startAlarm.set(clock.now() + delayMs);
    } else if (startupScript !== undefined) runTimed(startupScript, this.#ports, begin);
    else this.#begin();
  }

  /**
   * Resigns, removes what is ours, runs the stop scripts; `done` is called when the last of them has ended. `moved`: the addresses are with
   * their next holder, who passes on what is open; `finish` must be called when the balancer here is done with it. Absent: it gets a second.
   */
  stop(done: () => void, moved?: () => void): void {
    this.#startAlarm.clear();
    this.#running = false;
    this.#stopped = true;
    this.#members.giveTogether(this.#members.all, { kind: 'shutdown' });
    this.#tracked?.close();
    // Addresses may outlast us for a moment, until their next holder is heard.
    const keepBriefly = () => this.#endConnections(handoff.keptAtEndMs);
    this.#ending = new Ending(moved ?? keepBriefly, () => this.#end(done));
    this.#schedule();
  }

  /** After `stop`: nothing that is open needs the addresses any more. */
  finish(): void {
    this.#endConnections(0);
    this.#schedule();
  }

  #endConnections(withinMs: number): void {
    for (const driver of this.drivers) driver.keepConnectionsNoLongerThan(withinMs);
  }

  #end(done: () => void): void {
    this.#timetable.clear();
    // The last word: the next holder passes nothing on any more.
    this.#bfd?.close();
    for (const driver of this.drivers) driver.close();
    this.#conflicts.close();
    this.#statics.clear();
    this.#notifier.whenIdle(() => {
      this.#notifier.close();
      const { shutdownScript } = this.#plan.global;
      if (shutdownScript === undefined) done();
      else runTimed(shutdownScript, this.#ports, done);
    });
  }

  /** The balancer on this node serves, or not (any more). */
  serving(serving: boolean): void {
    if (this.#serving === serving) return;
    this.#serving = serving;
    this.#toAll({ kind: 'serving', serving });
  }

  /**
   * The balancer has a server left, or none in any backend. It still answers then (503), so this is no fault: it costs priority, and
   * a node that reaches servers takes over; where none does, clients get an answer rather than silence.
   */
  serversLeft(left: boolean): void {
    if (this.#serversLeft === left) return;
    this.#serversLeft = left;
    this.#tracking();
  }

  /** The operator's wish for these routers: resign and stay out, or take part again. */
  handover(event: VrrpEvent & { readonly kind: 'handover' | 'resume' | 'take-back' }, names: readonly string[]): void {
    const meant = this.#members.all.filter(({ driver }) => names.includes(driver.settings.name));
    for (const { driver } of meant) {
      if (event.kind === 'handover') this.#handedOver.add(driver.settings.name);
      else this.#handedOver.delete(driver.settings.name);
    }
    this.#members.giveTogether(meant, event);
    this.#schedule();
  }

  /** Files will be read and a reload may follow: nobody shall take the pause for a death. */
  expectReload(): void {
    this.#bfd?.expectDelay(peerBfd.reloadMs);
  }

  /**
   * Takes another plan over. Routers that are still there keep their state and addresses; what goes away goes first, so that an
   * address can move from one router to another in one go.
   */
  reload(plan: VrrpPlan): void {
    if (this.#stopped) return;
    this.#plan = plan;
    this.#safety = judgeCommands(plan, this.#ports);
    this.#notifier.close();
    this.#notifier = new Notifier(plan, this.#ports, (command) => this.#safety.usable(command));
    this.#links.configure(plan.global.interfaceDelays);
    this.#announcements.configure(plan.global.garpGroups);
    // The start is still delayed: it begins with this plan.
    if (!this.#running) return;
    const before = this.#members.all;
    const staying = stayingMembers(before, plan);
    const stays = new Set(staying.values());
    this.#deleting = true;
    for (const member of before)
      if (!stays.has(member)) {
        this.#members.detach(member);
        this.#members.give(member, { kind: 'shutdown' });
        member.driver.timer(Infinity);
        member.driver.close();
      }
    this.#deleting = false;
    this.#statics.set(plan);
    this.#bfd?.configure(plan.bfdSessions);
    const names = newNames(staying, plan);
    this.#announcements.rename(names);
    this.#handedOver = new Set(underNewNames(this.#handedOver.entries(), names).keys());
    this.renamed(names);
    for (const [index, { driver }] of staying) driver.plan = plan.routers[index];
    this.#members.set(
      plan.routers.map((router, index) => staying.get(index) ?? this.#member(router)),
      plan.syncGroups,
    );
    this.#track(this.#tracked);
    for (const member of stays) this.#members.give(member, { kind: 'settings', settings: member.driver.settings });
    for (const { driver } of stays) driver.holdings.reassert();
    this.#tracking();
    for (const member of this.#members.all) {
      member.driver.linkChanged();
      if (!stays.has(member)) this.#startMember(member);
    }
    if (plan.global.fifoStatesOnReload) repeatStates(this.#notifier, this.#members.all);
    this.#schedule();
  }

  /** Everything that is ready to go: called at the start, or when the startup delay is over. */
  #begin(): void {
    this.#running = true;
    tellAddresses(this.#plan, this.#ports.links, this.#ports.journal);
    this.#statics.set(this.#plan);
    this.#members.set(
      this.#plan.routers.map((router) => this.#member(router)),
      this.#plan.syncGroups,
    );
    this.#listenForBfd();
    this.#track();
    for (const member of this.#members.all) this.#startMember(member);
    this.#schedule();
  }

  /** The active router answers where a backup asks. */
  #listenForBfd(): void {
    this.#bfd?.configure(this.#plan.bfdSessions);
    for (const { settings } of this.drivers) if (settings.peerBfd !== false) this.#bfd?.listen(settings.family);
  }

  #track(before?: TrackedObjects): void {
    const world = {
      ...this.#ports,
      staticsWhole: (group: string) => this.#statics.isWhole(group),
      bfdResult: (session: number) => this.#bfd?.result(session) ?? ('failed' as const),
      ...(this.#serversLeft === undefined ? {} : { serversLeft: () => this.#serversLeft !== false }),
    };
    this.#tracked = new TrackedObjects(this.#plan, world, this.#safety.unusableScripts, this.#trackedChanged, before);
  }

  #member(plan: VirtualRouterPlan): Member {
    const machine = new VirtualRouterMachine(plan.settings);
    const world = {
      ...this.#ports,
      announcements: this.#announcements,
      companion: (host: string) => this.#bfd?.companion(host, driver.linkIndex),
      forsaken: () => this.#bfd?.forsake(),
      followed: (peer: FollowedPeer, advertisementIntervalMs: number) => {
        this.#bfd?.follow(peer, advertisementIntervalMs);
        this.#schedule();
      },
      otherRouter: (interfaceName: string, id: number, source: string) =>
        this.#unknownVrids.heard(this.#plan, interfaceName, id, source),
      isVirtual: (address: string) => isVirtualAddress(this.#plan, address),
    };
    const driver = new RouterDriver(plan, machine, world, (event) => {
      this.#members.give(member, event);
      // A resignation makes the take-over due at once, with what waits in the sockets heard first.
      if (event.kind === 'advertisement' && (machine.deadline() ?? Infinity) <= this.#ports.clock.now()) {
        this.#timetable.dueNow();
      } else this.#schedule();
    });
    const member: Member = { driver, group: undefined, trackingTold: '' };
    return member;
  }

  #startMember(member: Member): void {
    const { settings } = member.driver;
    if (member.driver.plan.promoteSecondaries || this.#plan.global.promoteSecondaries)
      this.#ports.links.setParameter('ipv4', settings.interface, 'promote_secondaries', 1);
    this.#members.give(member, { kind: 'serving', serving: this.#serving });
    this.#trackingOf(member);
    member.driver.linkChanged();
    if (this.#handedOver.has(settings.name)) this.#members.give(member, { kind: 'handover' });
    this.#members.give(member, { kind: 'start' });
  }

  // ------------------------------------------------------------ events

  #toAll(event: VrrpEvent, meant: (driver: RouterDriver) => boolean = () => true): void {
    for (const member of this.#members.all) if (meant(member.driver)) this.#members.give(member, event);
    this.#schedule();
  }

  #carryOut(member: Member, action: VrrpAction): void {
    member.driver.carryOut(action);
    // What is due at once leaves at once: frames must not wait behind scripts.
    if (action.kind === 'announce') this.#sendAnnouncements();
    if (action.kind === 'state-changed') noticeState(this.#notifier, member, action, this.#deleting);
    if (action.kind === 'lower-priority-heard') noticeLowerHeard(this.#notifier, member);
  }

  #tracking(): void {
    for (const member of this.#members.all) this.#trackingOf(member);
    this.#schedule();
  }

  #trackingOf(member: Member): void {
    const tracking = this.#tracked?.resultFor(member.driver.plan, member.group?.plan);
    if (tracking === undefined) return;
    const told = JSON.stringify(tracking);
    if (told === member.trackingTold) return;
    member.trackingTold = told;
    const before = member.driver.machine.priority;
    this.#members.give(member, { kind: 'tracking', tracking });
    if (member.driver.machine.priority !== before) noticePriority(this.#notifier, member);
  }

  // ------------------------------------------------------------ time

  #sendAnnouncements(): void {
    const now = this.#ports.clock.now();
    for (let due = this.#announcements.poll(now); due !== undefined; due = this.#announcements.poll(now)) {
      const { owner, device, address } = due;
      this.#members.named(owner)?.driver.sendAnnouncement(device, address);
    }
  }

  #schedule(): void {
    if (!this.#running && this.#ending === undefined) return;
    if (this.#ending?.look(this.drivers) !== true) this.#timetable.plan();
  }
}
