/**
 * The checker: runs in the supervisor, checks all servers, and keeps their states on the board for all workers (manual 5.2 check, 4.2 httpchk).
 * Every change of state goes through `#stop` or `#run`; both write the board, tell it in HAProxy's words, and pass it on to servers that `track`.
 */
import type { SocketAddress } from '../core/address.ts';
import { healthAfter, healthText, intervalAfter, isUp } from '../core/health/health.ts';
import { type CheckResult, hasPassed, reasonText } from '../core/health/result.ts';
import type { CheckPlan } from '../plan/balancer.ts';
import type { Board } from './board.ts';
import {
  goingToMaintenance,
  healthCheck,
  noServerLeft,
  resolvesAgain,
  serverDown,
  serverUp,
  severity,
} from './checker/messages.ts';
import { CheckRun } from './checker/run.ts';
import { operational, ServerState, serverAdmin } from './checker/server.ts';
import type { Streams } from './ports/streams.ts';
import type { Alarm, Clock, Random } from './ports/time.ts';

export interface CheckerPorts {
  readonly clock: Clock;
  readonly streams: Streams;
  readonly random: Random;
  /** A message for the log targets of backend `backend` (index); `level` is a syslog severity. */
  message(backend: number, level: number, text: string): void;
  /** Every server that is to be checked has had a result: told once. */
  allChecked?(): void;
  /** A server's sessions are to be ended now (`on-marked-down shutdown-sessions`): its `sessionGeneration` on the board has changed. */
  sessionsToEnd(backend: number, server: number): void;
}

/** Checks with a shorter interval than this do not set the pace at which all are started (HAProxy's SRV_CHK_INTER_THRES). */
const paceIntervalMs = 1000;

export class Checker {
  readonly #board: Board;
  readonly #ports: CheckerPorts;
  readonly #alarm: Alarm;
  readonly #servers: readonly (readonly ServerState[])[];
  readonly #all: readonly ServerState[];
  #running = false;
  /** `allChecked` was told. */
  #told = false;

  /** @param board the supervisor's. Fills in the servers' first states; checks begin with `start`. */
  constructor(board: Board, ports: CheckerPorts) {
    this.#board = board;
    this.#ports = ports;
    this.#alarm = ports.clock.alarm(() => this.#ring());
    this.#servers = board.backends.map((backend) => backend.plan.servers.map((plan) => new ServerState(backend, plan)));
    this.#all = this.#servers.flat();
    for (const server of this.#all) {
      const { track } = server.plan;
      if (track === undefined) continue;
      this.#servers[track.backend][track.server].followers.push(server);
    }
    for (const server of this.#all) if (server.plan.disabled) server.passMaintenanceOn();
    this.#writeFirstStates();
  }

  /** Begins to check. The first checks are spread over the shortest interval, as HAProxy does, so that servers aren't hit all at once. */
  start(): void {
    this.#running = true;
    const { global } = this.#board.plan;
    const checked = this.#all.filter((server) => server.plan.check !== undefined);
    const intervals = checked
      .map((server) => intervalAfter(server.health, server.plan.check!))
      .filter((interval) => interval >= paceIntervalMs);
    const pace = intervals.length > 0 ? Math.min(...intervals) : 0;
    const now = this.#ports.clock.now();
    checked.forEach((server, position) => {
      const interval = intervalAfter(server.health, server.plan.check!);
      let spread = Math.max(pace, interval) + this.#spread(interval);
      if (global.maxSpreadChecksMs > 0) spread = Math.min(spread, global.maxSpreadChecksMs);
      if (server.checked) server.nextCheckAt = now + Math.trunc((spread * position) / checked.length);
    });
    this.#setAlarm();
  }

  /**
   * After a reload: servers that an earlier checker knew by the same names go on with the health they had, so that one that is down
   * stays down and none is to be checked for a first time again. To be called before `start`.
   */
  resumeFrom(earlier: Checker): void {
    const known = new Map(earlier.#all.map((server) => [fullName(server), server]));
    for (const server of this.#all) {
      const before = known.get(fullName(server));
      if (before !== undefined && server.plan.check !== undefined) server.resumeFrom(before);
    }
    this.#writeFirstStates();
  }

  stop(): void {
    this.#running = false;
    this.#alarm.clear();
    for (const server of this.#all) {
      server.run?.cancel();
      server.run = undefined;
    }
  }

  /**
   * Gives a server another address (its name resolved anew), or none: it is then in maintenance until it has one. The address of a server
   * without `addr` or `port` of its own for checks is that of its checks too.
   * @param cause why there is none, for the message.
   */
  setAddress(backend: number, index: number, address: SocketAddress | undefined, cause = 'No IP for server'): void {
    const server = this.#servers[backend][index];
    const before = server.inService;
    server.address = address;
    server.setCell('addressGeneration', (server.cell('addressGeneration') + 1) | 0);
    const unresolved = address === undefined ? serverAdmin.unresolved : 0;
    const had = server.admin & serverAdmin.unresolved;
    if (unresolved === had) return;
    server.admin = (server.admin & ~serverAdmin.unresolved) | unresolved;
    server.setCell('admin', server.admin);
    const now = this.#ports.clock.now();
    if (unresolved !== 0) {
      server.run?.cancel();
      server.run = undefined;
      server.nextCheckAt = Number.POSITIVE_INFINITY;
      const requeued = this.#apply(server, now, before);
      this.#tell(server, severity.maintenance, goingToMaintenance(server.backend, index, cause, requeued));
    } else {
      this.#apply(server, now, before);
      if (server.checked && this.#running) server.nextCheckAt = now;
      this.#tell(server, severity.maintenance, resolvesAgain(server.backend, index));
    }
    this.#noteBackend(server, before);
    this.#setAlarm();
  }

  addressOf(backend: number, server: number): SocketAddress | undefined {
    return this.#servers[backend][server].address;
  }

  /** Readiness: true once every server that is to be checked has had a result. */
  allChecked(): boolean {
    return this.#all.every((server) => !server.checked || server.lastResult.status !== 'INI');
  }

  /** Readiness: true while every backend that has servers has one that can be used. */
  everyBackendUsable(): boolean {
    return this.#board.backends.every(
      (backend) => backend.count === 0 || backend.summary.active > 0 || backend.summary.backups > 0,
    );
  }

  /** Readiness: true while some backend has a server that can be used, or there are no servers at all. */
  anyBackendUsable(): boolean {
    const backends = this.#board.backends.filter((backend) => backend.count > 0);
    return backends.length === 0 || backends.some(({ summary }) => summary.active > 0 || summary.backups > 0);
  }

  /** The last result's own words (the board holds the numbers). */
  lastInfo(backend: number, server: number): string {
    return this.#servers[backend][server].lastResult.info;
  }

  // ---------------------------------------------------------------- time

  #ring(): void {
    const now = this.#ports.clock.now();
    for (const server of this.#all) {
      if (server.run !== undefined && server.run.deadline <= now) server.run.timedOut();
      if (server.nextCheckAt <= now) this.#check(server, server.plan.check!);
      if (server.nextWarmUpAt <= now) this.#warmUp(server, now);
    }
    this.#setAlarm();
  }

  #setAlarm(): void {
    if (!this.#running) return;
    let next = Number.POSITIVE_INFINITY;
    for (const server of this.#all)
      next = Math.min(next, server.nextCheckAt, server.nextWarmUpAt, server.run?.deadline ?? Number.POSITIVE_INFINITY);
    if (next === Number.POSITIVE_INFINITY) this.#alarm.clear();
    else this.#alarm.set(next);
  }

  /** `spread-checks`: up to that many percent more or less. */
  #spread(interval: number): number {
    const most = Math.trunc((interval * this.#board.plan.global.spreadChecksPercent) / 100);
    return most === 0 ? 0 : most - Math.trunc(2 * most * (this.#ports.random.uint32() / 0x1_0000_0000));
  }

  // ---------------------------------------------------------------- checks

  #check(server: ServerState, plan: CheckPlan): void {
    server.nextCheckAt = Number.POSITIVE_INFINITY;
    const address = server.checkAddress(plan);
    if (address === undefined) return;
    const target = {
      plan,
      expected: server.expected,
      address,
      source: server.plan.source ?? server.backend.plan.source,
    };
    const run = new CheckRun(
      target,
      this.#ports.streams,
      () => this.#ports.clock.now(),
      (result) => this.#checked(server, plan, result, run.startedAt),
    );
    server.run = run;
  }

  #checked(server: ServerState, plan: CheckPlan, result: CheckResult, startedAt: number): void {
    const now = this.#ports.clock.now();
    server.run = undefined;
    const passed = hasPassed(result.status);
    const before = server.health;
    server.health = healthAfter(before, passed, plan);
    const news = server.health !== before || result.status !== server.lastResult.status;
    server.lastResult = result;
    server.lastDurationMs = now - startedAt;
    server.setCell('health', server.health);
    server.writeResult();
    if (!passed && before > 0) server.setCell('failedChecks', server.cell('failedChecks') + 1);
    const reason = reasonText(result, server.lastDurationMs);
    const loud = server.backend.plan.logHealthChecks;
    if (loud && news) {
      const status = healthText(server.health, plan, server.plan.weight);
      this.#tell(server, severity.health, healthCheck(server.backend, server.plan.index, passed, reason, status));
    }
    // With log-health-checks the reason has just been told.
    const cause = loud ? '' : reason;
    if (!passed && server.health === 0) this.#stop(server, cause);
    else if (passed && isUp(server.health, plan)) this.#run(server, cause);
    const interval = intervalAfter(server.health, plan);
    server.nextCheckAt = now + interval + this.#spread(interval);
    this.#setAlarm();
    if (!this.#told && this.allChecked()) {
      this.#told = true;
      this.#ports.allChecked?.();
    }
  }

  // ---------------------------------------------------------------- states

  #stop(server: ServerState, cause: string): void {
    if (server.operational === 'stopped') return;
    const before = server.inService;
    this.#enter(server, 'stopped');
    const requeued = this.#apply(server, this.#ports.clock.now(), before);
    if (server.plan.onMarkedDown === 'shutdown-sessions') this.#endSessions(server);
    if (server.admin === 0)
      this.#tell(server, severity.serverDown, serverDown(server.backend, server.plan.index, cause, requeued));
    this.#noteBackend(server, before);
    for (const follower of server.followers) this.#stop(follower, via(server));
  }

  #run(server: ServerState, cause: string): void {
    if (server.operational !== 'stopped') return;
    const before = server.inService;
    const warmsUp = server.plan.slowstartMs > 0;
    this.#enter(server, warmsUp ? 'starting' : 'running');
    const now = this.#ports.clock.now();
    if (warmsUp) server.nextWarmUpAt = now + warmUpStepMs(server.plan.slowstartMs);
    const requeued = this.#apply(server, now, before);
    if (server.plan.onMarkedUp === 'shutdown-backup-sessions' && !server.plan.backup)
      for (const other of this.#servers[server.backend.plan.index]) if (other.plan.backup) this.#endSessions(other);
    if (server.admin === 0)
      this.#tell(server, severity.serverUp, serverUp(server.backend, server.plan.index, cause, requeued));
    this.#noteBackend(server, before);
    for (const follower of server.followers) this.#run(follower, via(server));
    this.#setAlarm();
  }

  #enter(server: ServerState, state: keyof typeof operational): void {
    const wall = Math.trunc(this.#ports.clock.wall() / 1000);
    if (state === 'stopped') server.setCell('downTransitions', server.cell('downTransitions') + 1);
    else server.setCell('downtime', server.cell('downtime') + wall - (server.cell('lastChange') >>> 0));
    server.operational = state;
    server.changedAt = this.#ports.clock.now();
    server.nextWarmUpAt = Number.POSITIVE_INFINITY;
    server.setCell('operational', operational[state]);
    server.setCell('lastChange', wall);
  }

  /** Writes what balancing needs. Returns how many waiting requests moved: away from a server that is gone, or to one that has come. */
  #apply(server: ServerState, now: number, before: boolean): number {
    const { backend, plan } = server;
    const mayMove = backend.plan.freeRedispatch || backend.plan.redispatch !== 0;
    server.setCell('effectiveWeight', server.effectiveWeight(now));
    return backend.setWeight(
      plan.index,
      server.weight(now),
      server.warmUp(now),
      before && !server.inService && mayMove,
    );
  }

  #warmUp(server: ServerState, now: number): void {
    if (now - server.changedAt < server.plan.slowstartMs) {
      server.nextWarmUpAt = now + warmUpStepMs(server.plan.slowstartMs);
      this.#apply(server, now, true);
      return;
    }
    server.nextWarmUpAt = Number.POSITIVE_INFINITY;
    server.operational = 'running';
    server.setCell('operational', operational.running);
    const requeued = this.#apply(server, now, true);
    this.#tell(server, severity.serverUp, serverUp(server.backend, server.plan.index, '', requeued));
  }

  #endSessions(server: ServerState): void {
    server.setCell('sessionGeneration', (server.cell('sessionGeneration') + 1) | 0);
    this.#ports.sessionsToEnd(server.backend.plan.index, server.plan.index);
  }

  /** The backend lost its last server, or got its first back. @param before whether `server` was in service. */
  #noteBackend(server: ServerState, before: boolean): void {
    const { backend } = server;
    if (before === server.inService || server.plan.weight === 0) return;
    const { active, backups } = backend.summary;
    if (server.inService ? active + backups !== 1 : active + backups !== 0) return;
    backend.setWord('lastChange', Math.trunc(this.#ports.clock.wall() / 1000));
    if (server.inService) return;
    backend.setWord('downTransitions', backend.word('downTransitions') + 1);
    const { frontends } = this.#board.plan;
    const isListen = frontends.some(
      ({ name, backend: own }) => own === backend.plan.index && name === backend.plan.name,
    );
    const text = noServerLeft(isListen ? 'proxy' : 'backend', backend.plan.name);
    this.#tell(server, severity.backendDown, text);
  }

  #tell(server: ServerState, level: number, text: string): void {
    this.#ports.message(server.backend.plan.index, level, text);
  }

  #writeFirstStates(): void {
    const wall = Math.trunc(this.#ports.clock.wall() / 1000);
    const now = this.#ports.clock.now();
    for (const servers of this.#servers)
      for (const server of servers) {
        server.setCell('health', server.health);
        server.setCell('admin', server.admin);
        server.setCell('operational', operational[server.operational]);
        server.setCell('lastChange', wall);
        server.writeResult();
      }
    for (const backend of this.#board.backends) {
      backend.setWord('lastChange', wall);
      backend.startWith(this.#servers[backend.plan.index].map((server) => server.weight(now)));
    }
  }
}

function fullName(server: ServerState): string {
  return `${server.backend.plan.name}/${server.plan.name}`;
}

function via(tracked: ServerState): string {
  return ` via ${fullName(tracked)}`;
}

/** Twenty steps, but none shorter than a second. */
function warmUpStepMs(slowstartMs: number): number {
  return Math.max(1000, slowstartMs / 20);
}
