/**
 * The operator's hand-over: resign in an orderly way and stay out until `resume`.
 *
 * Standbys of VRRP are silent, so a node that is active can't know whether one is there. The hand-over therefore is an attempt: when
 * nobody has spoken as active within the time that a standby needs after priority 0 (its skew, RFC 9568 §6.1: less than one second in
 * version 2, less than one interval in version 3), the address is taken back at once. `forced` stays out all the same.
 *
 * Who was handed over stays so when the daemon is started again: the store remembers it.
 */
import { handoverMarginMs } from '../../core/limits.ts';
import type { Journal } from '../ports/logs.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import type { Failover } from './failover.ts';
import { underNewNames } from './reloading.ts';
import type { RouterDriver } from './router-driver.ts';

export type HandoverOutcome = 'waiting' | 'taken-over' | 'nobody' | 'was-not-active' | 'resumed';

export interface HandoverProgress {
  readonly router: string;
  readonly outcome: HandoverOutcome;
  /** Who took over, and how long after the last word of ours it was first heard. */
  readonly by: string | undefined;
  readonly afterMs: number | undefined;
  /** How long a standby is waited for. */
  readonly patienceMs: number;
}

interface Attempt {
  readonly driver: RouterDriver;
  readonly atMs: number;
  readonly forced: boolean;
  readonly patienceMs: number;
  outcome: HandoverOutcome;
  by: string | undefined;
  afterMs: number | undefined;
}

/** A router that is out of service, and since when (milliseconds since 1970). */
export interface KeptHandover {
  readonly router: string;
  readonly sinceWallMs: number;
}

/** What outlives the daemon. */
export interface HandoverStore {
  load(): readonly KeptHandover[];
  /** In words why it could not be kept; undefined: it is. */
  save(kept: readonly KeptHandover[]): string | undefined;
}

export class ControlHandover {
  readonly #failover: Failover;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #alarm: Alarm;
  readonly #store: HandoverStore | undefined;
  /** Milliseconds since 1970, by router. */
  #since: Map<string, number>;
  /** The last one of each router. */
  #attempts = new Map<string, Attempt>();

  constructor(failover: Failover, clock: Clock, journal: Journal, store: HandoverStore | undefined) {
    this.#failover = failover;
    this.#clock = clock;
    this.#journal = journal;
    this.#alarm = clock.alarm(() => this.#due());
    this.#store = store;
    failover.renamed = (names) => this.#rename(names);
    this.#since = new Map(store?.load().map(({ router, sinceWallMs }) => [router, sinceWallMs]));
    for (const [router, wallMs] of this.#since)
      journal.log(
        'notice',
        `(${router}) is handed over since ${new Date(wallMs).toISOString()}, until \`evergate resume\``,
      );
  }

  /** Milliseconds since 1970; undefined: it takes part. */
  since(router: string): number | undefined {
    return this.#since.get(router);
  }

  /** @param names routers; all of them must exist. */
  start(names: readonly string[], forced: boolean): void {
    const now = this.#clock.now();
    for (const name of names) {
      const driver = this.#driver(name);
      if (driver === undefined) continue;
      const { version, advertisementIntervalMs } = driver.settings;
      const active = driver.machine.stateKind === 'active';
      const skewMaxMs = version === 2 ? 1000 : advertisementIntervalMs;
      this.#attempts.set(name, {
        driver,
        atMs: now,
        forced,
        patienceMs: skewMaxMs + handoverMarginMs,
        outcome: active ? 'waiting' : 'was-not-active',
        by: undefined,
        afterMs: undefined,
      });
      this.#journal.log('notice', `(${name}) handed over by the operator${forced ? ' (forced)' : ''}`);
    }
    this.#failover.handover({ kind: 'handover' }, names);
    this.#keep(names, true);
    this.#arm();
  }

  /** @returns those of them that were handed over. */
  resume(names: readonly string[]): readonly string[] {
    const out = names.filter((name) => this.#since.has(name));
    for (const name of out) {
      const attempt = this.#attempts.get(name);
      if (attempt?.outcome === 'waiting') attempt.outcome = 'resumed';
      this.#journal.log('notice', `(${name}) takes part again, by the operator`);
    }
    this.#failover.handover({ kind: 'resume' }, out);
    this.#keep(out, false);
    return out;
  }

  progress(names: readonly string[]): readonly HandoverProgress[] {
    this.#look();
    return names.flatMap((name) => {
      const attempt = this.#attempts.get(name);
      if (attempt === undefined) return [];
      const { outcome, by, afterMs, patienceMs } = attempt;
      return [{ router: name, outcome, by, afterMs, patienceMs }];
    });
  }

  close(): void {
    this.#alarm.clear();
  }

  /** Has anybody spoken as active since? */
  #look(): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.outcome !== 'waiting') continue;
      const { heard } = attempt.driver.machine.status();
      if (heard === undefined || heard.atMs < attempt.atMs) continue;
      attempt.outcome = 'taken-over';
      attempt.by = heard.source;
      attempt.afterMs = heard.atMs - attempt.atMs;
    }
  }

  #due(): void {
    this.#look();
    const now = this.#clock.now();
    const alone: Attempt[] = [];
    for (const attempt of this.#attempts.values()) {
      if (attempt.outcome !== 'waiting' || now < attempt.atMs + attempt.patienceMs) continue;
      attempt.outcome = 'nobody';
      if (!attempt.forced) alone.push(attempt);
    }
    const names = alone.map(({ driver }) => driver.settings.name);
    for (const name of names) this.#journal.log('warning', `(${name}) nobody took over: taking part again`);
    this.#failover.handover({ kind: 'resume' }, names);
    for (const { driver, atMs } of alone)
      this.#failover.handover({ kind: 'take-back', sinceMs: atMs }, [driver.settings.name]);
    if (names.length > 0) this.#keep(names, false);
    this.#arm();
  }

  #rename(names: ReadonlyMap<string, string>): void {
    if (names.size === 0) return;
    this.#since = underNewNames(this.#since, names);
    this.#attempts = underNewNames(this.#attempts, names);
    this.#save();
  }

  #keep(names: readonly string[], out: boolean): void {
    for (const name of names)
      if (!out) this.#since.delete(name);
      else if (!this.#since.has(name)) this.#since.set(name, this.#clock.wall());
    this.#save();
  }

  #save(): void {
    const failure = this.#store?.save([...this.#since].map(([router, sinceWallMs]) => ({ router, sinceWallMs })));
    if (failure !== undefined) this.#journal.log('warning', `the hand-over will not outlive this process: ${failure}`);
  }

  #arm(): void {
    const waiting = [...this.#attempts.values()].filter(({ outcome }) => outcome === 'waiting');
    if (waiting.length === 0) this.#alarm.clear();
    else this.#alarm.set(Math.min(...waiting.map(({ atMs, patienceMs }) => atMs + patienceMs)));
  }

  #driver(name: string): RouterDriver | undefined {
    return this.#failover.drivers.find(({ settings }) => settings.name === name);
  }
}
