/**
 * One server's state as the supervisor keeps it: health, maintenance, slowstart; and what follows for the board.
 * `operational` says what checks found, `admin` what people or missing addresses decided; only both together make it usable.
 */
import type { SocketAddress } from '../../core/address.ts';
import { weightScale } from '../../core/balance/servers.ts';
import { Expected } from '../../core/health/expect.ts';
import { startingHealth } from '../../core/health/health.ts';
import { type CheckResult, checkStatuses } from '../../core/health/result.ts';
import type { CheckPlan, ServerPlan } from '../../plan/balancer.ts';
import type { BackendBoard } from '../board/backend.ts';
import type { CheckRun } from './run.ts';

/** Column `operational`. */
export const operational = { stopped: 0, starting: 1, running: 2 } as const;
export type Operational = keyof typeof operational;

/** Bits of column `admin`. */
export const serverAdmin = {
  disabled: 1, // `disabled` in the configuration
  unresolved: 2, // no address
  inherited: 4, // the server it tracks is in maintenance
} as const;

export class ServerState {
  readonly backend: BackendBoard;
  readonly plan: ServerPlan;
  readonly expected: readonly Expected[];
  /** Servers that `track` this one. */
  readonly followers: ServerState[] = [];
  address: SocketAddress | undefined;
  operational: Operational = 'running';
  admin = 0;
  health: number;
  lastResult: CheckResult = { status: 'INI', code: -1, info: '' };
  lastDurationMs = -1;
  run: CheckRun | undefined;
  /** Monotonic milliseconds of the next start of a check, and of the next step of slowstart; Infinity = none. */
  nextCheckAt = Number.POSITIVE_INFINITY;
  nextWarmUpAt = Number.POSITIVE_INFINITY;
  /** Monotonic milliseconds of the last change of `operational`. */
  changedAt = 0;

  constructor(backend: BackendBoard, plan: ServerPlan) {
    this.backend = backend;
    this.plan = plan;
    this.address = plan.address;
    this.expected = [plan.check?.expect, ...(plan.check?.expectAlso ?? [])].map((each) => new Expected(each));
    this.health = plan.check === undefined ? 1 : startingHealth(plan.check);
    if (plan.disabled) this.admin |= serverAdmin.disabled;
    if (plan.address === undefined) this.admin |= serverAdmin.unresolved;
  }

  /** Servers that track one in maintenance are in maintenance too (manual 5.2 track). */
  passMaintenanceOn(): void {
    for (const follower of this.followers) {
      if ((follower.admin & serverAdmin.inherited) !== 0) continue;
      follower.admin |= serverAdmin.inherited;
      follower.passMaintenanceOn();
    }
  }

  /** Goes on with the health that the same server had before a reload, but starts counting anew; those that track it follow. */
  resumeFrom(before: ServerState): void {
    if (this.plan.check === undefined || before.plan.check === undefined || before.lastResult.status === 'INI') return;
    this.lastResult = before.lastResult;
    this.lastDurationMs = before.lastDurationMs;
    this.operational = before.operational === 'stopped' ? 'stopped' : 'running';
    this.health = this.operational === 'stopped' ? 0 : startingHealth(this.plan.check);
    this.#passStateOn();
  }

  #passStateOn(): void {
    for (const follower of this.followers) {
      if (follower.operational === this.operational) continue;
      follower.operational = this.operational;
      follower.#passStateOn();
    }
  }

  /** The last result, as numbers on the board. */
  writeResult(): void {
    const { status, code } = this.lastResult;
    this.setCell('checkStatus', checkStatuses.indexOf(status));
    this.setCell('checkCode', code);
    this.setCell('checkDurationMs', Math.max(0, Math.trunc(this.lastDurationMs)));
    this.setCell('checksDone', status === 'INI' ? 0 : 1);
  }

  /** Checks run while nothing else has decided that the server is out of use. */
  get checked(): boolean {
    return this.plan.check !== undefined && this.admin === 0;
  }

  /** Where its check goes: an address of its own (`addr`), or the server's with `port` if that is given. */
  checkAddress(plan: CheckPlan): SocketAddress | undefined {
    if (!plan.followsServer || this.address === undefined) return plan.followsServer ? undefined : plan.address;
    if (plan.port === undefined || this.address.family === 'unix') return this.address;
    return { ...this.address, port: plan.port };
  }

  get inService(): boolean {
    return this.operational !== 'stopped' && this.admin === 0;
  }

  /** Scaled weight: during slowstart it grows by sixteenths of the configured one (manual 5.2 slowstart). */
  weight(now: number): number {
    if (!this.inService) return 0;
    return this.effectiveWeight(now);
  }

  effectiveWeight(now: number): number {
    const { slowstartMs, weight } = this.plan;
    if (this.operational !== 'starting' || !this.backend.weightsAreDynamic) return weight * weightScale;
    const seconds = Math.trunc((now - this.changedAt) / 1000);
    const whole = Math.max(1, Math.trunc(slowstartMs / 1000));
    return weight * Math.min(weightScale, Math.trunc((weightScale * seconds + whole) / whole));
  }

  /** Percent of maxconn in use. */
  warmUp(now: number): number {
    if (this.operational !== 'starting') return 100;
    const whole = Math.max(1, Math.trunc(this.plan.slowstartMs / 1000));
    return Math.min(100, Math.trunc((100 * Math.trunc((now - this.changedAt) / 1000)) / whole));
  }

  cell(column: Parameters<BackendBoard['column']>[0]): number {
    return this.backend.column(column)[this.plan.index];
  }

  setCell(column: Parameters<BackendBoard['column']>[0], value: number): void {
    this.backend.column(column)[this.plan.index] = value;
  }
}
