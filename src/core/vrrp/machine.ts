/**
 * One virtual router's protocol machine: RFC 9568 §6.4 (and RFC 3768 §6.4 for version 2) with Keepalived's extensions and FAULT.
 *
 * Every transition stands in this file. Facts from outside (link, tracking, serving, the operator, the sync group) are kept in
 * facts.ts; `#settle` compares them with the state. A deadline is a field of the state that waits for it.
 *
 * Ours, where neither RFC nor Keepalived says so:
 * - A router that was not run for so long that others must have given it up listens before it speaks (`#wakeLate`).
 * - On hearing priority 0 from the router it follows a backup takes over at once (`resignIsImmediate`): as soon as it has heard all that
 *   arrived already, for after a stall the successor may have spoken long ago.
 * - A router that steps down before a higher one lets go of the addresses and then says a last word (`splitIsAnnounced`), so that the
 *   winner, who may never have noticed the split, announces the addresses at once.
 * - Addresses outlast the active role a moment (`lingerMs`) where the balancer behind them is well: make before break.
 * - A balancer that does not serve is a fault of its router: an address without a service behind it helps nobody.
 */

import { ActiveState } from './active-state.ts';
import { addressesOf } from './announcing.ts';
import { BackupState } from './backup-state.ts';
import type { HeardAdvertisement, RouterStateKind, RouterStatus, VrrpAction, VrrpEvent } from './events.ts';
import { RouterFacts } from './facts.ts';
import { RouterHistory } from './history.ts';
import { Outbox, resignedLingerMs, yieldedLingerMs } from './outbox.ts';
import type { VirtualRouterSettings } from './settings.ts';

type RouterState = { readonly kind: 'initialize' } | { readonly kind: 'fault' } | BackupState | ActiveState;

export class VirtualRouterMachine {
  #settings: VirtualRouterSettings;
  /** Becomes active only when its sync group says so (sync-group.ts). A reload may change it, before the `settings`. */
  grouped: boolean;
  #state: RouterState = { kind: 'initialize' };
  #started = false;
  readonly #facts = new RouterFacts();
  readonly #out = new Outbox();
  readonly #history = new RouterHistory();
  /** After a late awakening: until then what comes in may be old, and nothing is reason enough to take over at once. */
  #listensUntil = -Infinity;
  /** Let go without a word when it woke up: whoever is active now may never have noticed, and should announce. */
  #owesLastWord = false;

  constructor(settings: VirtualRouterSettings, grouped = false) {
    this.#settings = settings;
    this.grouped = grouped;
  }

  get settings(): VirtualRouterSettings {
    return this.#settings;
  }

  /** 0 is never the running priority; 1..254, or 255 for the owner. */
  get priority(): number {
    return this.#facts.priority(this.#settings);
  }

  get stateKind(): RouterStateKind {
    return this.#state.kind;
  }

  /** True in a sync group when nothing but the other members keeps the router from becoming active. */
  get willing(): boolean {
    return this.#state.kind === 'backup' && this.#state.willing;
  }

  /** Faults of its own, without those that the sync group told. */
  get ownFaults(): readonly string[] {
    return this.#facts.faults(this.#settings, 'own');
  }

  /** The next thing to do, in order, or undefined. */
  poll(): VrrpAction | undefined {
    return this.#out.take();
  }

  /** When a `timer` event is due, or undefined. */
  deadline(): number | undefined {
    if (this.#state.kind === 'backup') return this.#state.activeDownAt;
    return this.#state.kind === 'active' ? this.#state.deadline() : undefined;
  }

  status(): RouterStatus {
    return {
      state: this.#state.kind,
      sinceMs: this.#history.sinceMs,
      reason: this.#history.reason,
      priority: this.priority,
      faults: this.#facts.faults(this.#settings),
      heard: this.#history.heard,
      activeAdvertisementIntervalMs:
        this.#state.kind === 'backup' ? this.#state.activeIntervalMs : this.#settings.advertisementIntervalMs,
      transitions: this.#history.transitions,
      deadlineMs: this.deadline(),
    };
  }

  /** Takes one event in. `now`: monotonic milliseconds, never smaller than before. */
  handle(event: VrrpEvent, now: number): void {
    this.#wakeLate(now);
    const priorityBefore = this.priority;
    if (this.#facts.note(event)) {
      if (this.priority !== priorityBefore)
        this.#log('info', `Changing effective priority from ${priorityBefore} to ${this.priority}`);
      this.#settle(now);
      return;
    }
    switch (event.kind) {
      case 'start':
        this.#start(now);
        break;
      case 'shutdown':
        this.#shutdown(now);
        break;
      case 'timer':
        this.#timer(now);
        break;
      case 'advertisement':
        this.#advertisement(event.heard, now);
        break;
      case 'settings':
        this.#reload(event.settings, now);
        break;
      case 'peer-lost':
        this.#peerLost(event.source, now);
        break;
      case 'take-back':
        if (this.#state.kind === 'backup' && (this.#history.heard?.atMs ?? -Infinity) < event.sinceMs)
          this.#promote(this.#state, now, 'nobody took over');
        break;
      case 'address-lost':
      case 'address-conflict':
        if (this.#state.kind === 'active') this.#state.announcing.defend(event, this.#settings, now);
        break;
      case 'group':
        this.#group(event.wish, now);
        break;
    }
  }

  // ------------------------------------------------------------ Initialize and FAULT (RFC 9568 §6.4.1)

  #start(now: number): void {
    if (this.#started) return;
    this.#started = true;
    // An earlier life, killed before it could clean up, may have left the addresses behind.
    this.#out.put({ kind: 'remove-addresses', addresses: addressesOf(this.#settings), all: true });
    this.#history.sinceMs = now;
    this.#settle(now);
  }

  /** Enters or leaves FAULT and Initialize as the facts say. */
  #settle(now: number): void {
    if (!this.#started) return;
    const fault = this.#facts.faults(this.#settings)[0];
    if (fault !== undefined) {
      if (this.#state.kind !== 'fault') this.#enterFault(fault, now);
      return;
    }
    const pending = this.#facts.pending()[0];
    if (pending !== undefined) {
      if (this.#state.kind === 'initialize') this.#history.reason = `waiting for ${pending}`;
      return;
    }
    if (this.#state.kind === 'fault') this.#leaveFault(now);
    else if (this.#state.kind === 'initialize') this.#enterElection(now, 'started');
  }

  #enterFault(reason: string, now: number): void {
    const from = this.#state.kind;
    this.#log('info', reason);
    this.#log('notice', from === 'initialize' ? 'Entering FAULT STATE (init)' : 'Entering FAULT STATE');
    if (from === 'active') this.#resign(this.#facts.wellButAway ? resignedLingerMs : 0);
    this.#changeState({ kind: 'fault' }, reason, now);
  }

  #leaveFault(now: number): void {
    // A peer that talks to us by unicast may hold a stale neighbour entry for our own address.
    if (this.#settings.transport.kind === 'unicast') this.#out.put({ kind: 'announce-own-address' });
    this.#enterElection(now, 'fault cleared');
  }

  /** §6.4.1 Startup: the owner is active at once, everybody else listens first. */
  #enterElection(now: number, reason: string): void {
    const atOnce = this.priority === 255 && now >= this.#listensUntil;
    if (atOnce && !this.grouped) {
      this.#becomeActive(now, 'address owner');
      return;
    }
    this.#log('notice', this.#state.kind === 'initialize' ? 'Entering BACKUP STATE (init)' : 'Entering BACKUP STATE');
    this.#becomeBackup(now, this.#settings.advertisementIntervalMs, reason).willing = atOnce;
  }

  #shutdown(now: number): void {
    if (!this.#started) return;
    if (this.#state.kind === 'active') this.#resign(resignedLingerMs);
    this.#started = false;
    this.#changeState({ kind: 'initialize' }, 'stopped', now);
  }

  // ------------------------------------------------------------ timers

  #timer(now: number): void {
    const state = this.#state;
    if (state.kind === 'backup' && now >= state.activeDownAt) {
      if (state.resigned === undefined) this.#log('info', 'Receive advertisement timeout');
      this.#promote(state, now, state.resigned === undefined ? 'no advertisement heard' : `${state.resigned} resigned`);
    } else if (state.kind === 'active') state.timer(this.#settings, this.priority, now);
  }

  /**
   * A process that was stopped for longer than the others wait assumes that it was replaced, whatever woke it: it lets go, listens for an
   * interval and the skew, and only then takes part again. So does a backup that slept through its own deadline by more than an
   * interval: what it should have heard may have been dropped while nobody read the socket, and what it hears now may be old.
   */
  #wakeLate(now: number): void {
    const state = this.#state;
    if (state.kind === 'active') {
      const silentMs = state.silentTooLong(this.#settings, now);
      if (silentMs === undefined) return;
      this.#log('warning', `was not run for ${Math.round(silentMs)}ms, assuming that it was replaced`);
      this.#log('notice', 'Entering BACKUP STATE');
      this.#out.letGo(addressesOf(this.#settings));
      this.#listen(this.#becomeBackup(now, this.#settings.advertisementIntervalMs, 'woke up late'), now);
      this.#owesLastWord = this.#settings.splitIsAnnounced;
    } else if (state.kind === 'backup' && now >= state.activeDownAt + state.activeIntervalMs) {
      this.#listen(state, now);
    }
  }

  #listen(state: BackupState, now: number): void {
    state.wait(this.#settings, this.priority, now, 1);
    this.#listensUntil = state.activeDownAt;
  }

  // ------------------------------------------------------------ advertisements

  #advertisement(heard: HeardAdvertisement, now: number): void {
    if (this.#state.kind === 'backup') this.#heardAsBackup(this.#state, heard, now);
    else if (this.#state.kind === 'active') this.#heardAsActive(this.#state, heard, now);
    this.#history.hears(heard, now);
  }

  /** RFC 9568 §6.4.2, RFC 3768 §6.4.2. */
  #heardAsBackup(state: BackupState, heard: HeardAdvertisement, now: number): void {
    if (heard.priority === 0) {
      this.#heardResignation(state, heard, now);
      return;
    }
    const preempts = this.#settings.preempt && heard.priority < this.priority;
    if (preempts && !state.preemptDelayed(this.#settings, now)) {
      this.#log('info', `received lower priority (${heard.priority}) advert from ${heard.source} - discarding`);
      return;
    }
    if (!preempts) state.stopPreemptDelay(this.#settings);
    state.learnInterval(this.#settings, heard.advertisementIntervalMs);
    if (this.#owesLastWord && now >= this.#listensUntil) this.#payLastWord(heard);
    state.willing = false;
    state.follows = heard.source;
    state.wait(this.#settings, this.priority, now);
  }

  /** A last word must lose, or it would unseat the one it is meant for: nopreempt may have made us follow a lower one. */
  #payLastWord(heard: HeardAdvertisement): void {
    this.#owesLastWord = false;
    if (this.#facts.compare(heard, this.#settings) > 0) this.#out.advertise(this.priority);
    else if (heard.priority > 1) this.#out.advertise(1);
  }

  #heardResignation(state: BackupState, heard: HeardAdvertisement, now: number): void {
    const followed = this.#history.heard?.source === heard.source && now >= this.#listensUntil;
    if (this.#settings.resignIsImmediate && followed) state.waitForWhatIsHere(heard.source, now);
    else state.waitSkew(this.#settings, this.priority, now);
    this.#log('info', state.whatFollows(heard.source, this.grouped, now));
  }

  /** RFC 9568 §6.4.3, RFC 3768 §6.4.3. */
  #heardAsActive(state: ActiveState, heard: HeardAdvertisement, now: number): void {
    if (heard.priority === 0) {
      this.#log('info', `Master received priority 0 message: ${heard.source} was active too, staying MASTER`);
      state.advertise(this.#settings, this.priority, now);
      // Only an active router resigns: there were two, and the network may have listened to the other.
      state.announcing.lowerHeard(this.#settings, now);
      return;
    }
    const order = this.#facts.compare(heard, this.#settings);
    if (order === 0) {
      this.#log('warning', 'WARNING - equal priority advert received from remote host with our IP address.');
    } else if (order < 0) {
      this.#heardLower(state, heard, now);
    } else {
      this.#yield(heard, now);
    }
  }

  #heardLower(state: ActiveState, heard: HeardAdvertisement, now: number): void {
    const { lowerPrioNoAdvert, garp } = this.#settings;
    const { source, priority } = heard;
    const forcing = lowerPrioNoAdvert ? '' : ', forcing new election';
    this.#log(
      'info',
      `Received advert from ${source} with lower priority ${priority}, ours ${this.priority}${forcing}`,
    );
    if (!lowerPrioNoAdvert) state.advertise(this.#settings, this.priority, now);
    state.announcing.lowerHeard(this.#settings, now);
    if (garp.lowerPrioRepeat > 0 || !lowerPrioNoAdvert)
      this.#out.put({ kind: 'lower-priority-heard', source, priority });
  }

  /** A better router exists: back down, even with nopreempt. */
  #yield(heard: HeardAdvertisement, now: number): void {
    const { higherPrioSendAdvert, splitIsAnnounced, version, advertisementIntervalMs } = this.#settings;
    const { source, priority } = heard;
    const better =
      priority > this.priority
        ? `higher priority ${priority}, ours ${this.priority}`
        : `same priority ${priority} but higher IP address than ours`;
    this.#log('info', `Master received advert from ${source} with ${better}`);
    if (higherPrioSendAdvert && !splitIsAnnounced) this.#out.advertise(this.priority);
    this.#log('notice', 'Entering BACKUP STATE');
    this.#out.letGo(addressesOf(this.#settings), yieldedLingerMs);
    if (splitIsAnnounced) this.#out.advertise(this.priority);
    const intervalMs =
      version === 3 ? heard.advertisementIntervalMs || advertisementIntervalMs : advertisementIntervalMs;
    this.#becomeBackup(now, intervalMs, `${source} has priority ${priority}`);
  }

  // ------------------------------------------------------------ the two states of the election

  #promote(state: BackupState, now: number, reason: string): void {
    if (!this.grouped) {
      this.#becomeActive(now, reason);
      return;
    }
    state.willing = true;
    state.wait(this.#settings, this.priority, now);
  }

  #becomeActive(now: number, reason: string): void {
    this.#log('notice', 'Entering MASTER STATE');
    this.#owesLastWord = false;
    const state = new ActiveState(this.#out, this.#settings, this.priority, now);
    this.#changeState(state, reason, now);
  }

  #becomeBackup(now: number, activeIntervalMs: number, reason: string): BackupState {
    const state = new BackupState(this.#out, activeIntervalMs);
    state.wait(this.#settings, this.priority, now);
    this.#changeState(state, reason, now);
    return state;
  }

  /** Leaves the active role in an orderly way: others hear it before the addresses are gone. */
  #resign(lingerMs: number): void {
    this.#out.advertise(0);
    this.#log('info', 'sent 0 priority');
    this.#out.letGo(addressesOf(this.#settings), lingerMs);
  }

  #changeState(to: RouterState, reason: string, now: number): void {
    const from = this.#state.kind;
    this.#state = to;
    this.#history.changed(from, to.kind, reason, now);
    this.#out.put({ kind: 'state-changed', from, to: to.kind, priority: this.priority, reason });
  }

  // ------------------------------------------------------------ facts that change while we run

  #group(wish: 'active' | 'backup' | 'announce', now: number): void {
    const state = this.#state;
    if (wish === 'active' && state.kind === 'backup') this.#becomeActive(now, 'sync group');
    else if (wish === 'announce' && state.kind === 'active') state.announcing.lowerHeard(this.#settings, now);
    else if (wish === 'backup' && state.kind === 'active') {
      this.#log('notice', 'Entering BACKUP STATE');
      // Nothing is wrong with this member: whoever follows it may not have spoken for it yet.
      this.#resign(resignedLingerMs);
      this.#becomeBackup(now, this.#settings.advertisementIntervalMs, 'sync group');
    }
  }

  /** Reload (Keepalived manual, SIGHUP): the state stays; only addresses that changed are touched. */
  #reload(settings: VirtualRouterSettings, now: number): void {
    const before = this.#settings;
    this.#settings = settings;
    if (this.#state.kind === 'active') this.#state.reloaded(before, settings, now);
    else if (this.willing && !this.grouped) this.#becomeActive(now, 'left its sync group');
    this.#settle(now);
  }

  /** The IETF's work on VRRP with BFD: losing the session is an Active_Down event, whatever the timer says. */
  #peerLost(source: string, now: number): void {
    const state = this.#state;
    if (state.kind !== 'backup' || now < this.#listensUntil) return;
    // A lower one may have noticed first and spoken since.
    if ((state.follows ?? this.#history.heard?.source) !== source) return;
    this.#promote(state, now, `BFD lost ${source}`);
  }

  #log(severity: 'info' | 'notice' | 'warning', message: string): void {
    this.#out.log(severity, this.#settings.name, message);
  }
}
