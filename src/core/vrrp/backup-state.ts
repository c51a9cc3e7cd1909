/**
 * What a router in Backup keeps: Active_Down_Timer and what sets it (RFC 9568 §6.4.2): the active router's interval, learnt in version 3, and
 * Keepalived's preempt_delay.
 */

import { activeDownMs, skewMs } from './intervals.ts';
import type { Outbox } from './outbox.ts';
import type { VirtualRouterSettings } from './settings.ts';

export class BackupState {
  readonly kind = 'backup';
  readonly #out: Outbox;
  /** When Active_Down_Timer fires. */
  activeDownAt = Infinity;
  /** Active_Adver_Interval. */
  activeIntervalMs: number;
  /** Whose advertisements keep it a backup; undefined before the first. */
  follows: string | undefined;
  /** Who said priority 0 and was not spoken after since: Active_Down_Timer fires as soon as nothing waits to be heard. */
  resigned: string | undefined;
  /** In a sync group: would be active by itself, waits for the other members. */
  willing = false;
  /** Until then lower advertisements are accepted. Undefined: preempt_delay does not run. */
  #preemptAt: number | undefined;

  constructor(out: Outbox, activeIntervalMs: number) {
    this.#out = out;
    this.activeIntervalMs = activeIntervalMs;
  }

  /** Active_Down_Timer := Active_Down_Interval. `adverts`: fewer than down_timer_adverts when only listening. */
  wait(settings: VirtualRouterSettings, priority: number, now: number, adverts = settings.downTimerAdverts): void {
    this.activeDownAt = now + activeDownMs(settings.version, priority, this.activeIntervalMs, adverts);
    this.resigned = undefined;
  }

  /** Active_Down_Timer := 0: timers come after the messages that have arrived. */
  waitForWhatIsHere(resigned: string, now: number): void {
    this.activeDownAt = now;
    this.resigned = resigned;
  }

  /** Active_Down_Timer := Skew_Time; never later than it was. */
  waitSkew(settings: VirtualRouterSettings, priority: number, now: number): void {
    const skew = skewMs(settings.version, priority, this.activeIntervalMs);
    this.activeDownAt = Math.min(this.activeDownAt, now + skew);
  }

  /** `source` resigned: for the log. */
  whatFollows(source: string, grouped: boolean, now: number): string {
    const waitMs = Math.ceil(this.activeDownAt - now);
    const role = grouped ? 'ready to take over with the sync group' : 'taking over';
    const when = `${waitMs === 0 ? 'now' : `in ${waitMs}ms`} unless another router speaks first`;
    return `Backup received priority 0 advertisement: ${source} resigned, ${role} ${when}`;
  }

  /** A lower router is active and we preempt. preempt_delay runs from the first time; true while it holds us back. */
  preemptDelayed({ name, preemptDelayMs }: VirtualRouterSettings, now: number): boolean {
    if (preemptDelayMs <= 0) return false;
    if (this.#preemptAt === undefined) {
      this.#preemptAt = now + preemptDelayMs;
      this.#out.log('info', name, `start preempt delay (${(preemptDelayMs / 1000).toFixed(6)})`);
    }
    return now < this.#preemptAt;
  }

  /** The active router is not lower. */
  stopPreemptDelay({ name }: VirtualRouterSettings): void {
    if (this.#preemptAt === undefined) return;
    this.#preemptAt = undefined;
    this.#out.log('info', name, 'stop preempt delay');
  }

  /** Only version 3 says its interval so that it can be followed; in version 2 another one is an error (receive.ts). */
  learnInterval({ name, version }: VirtualRouterSettings, intervalMs: number): void {
    if (version === 2 || intervalMs <= 0 || intervalMs === this.activeIntervalMs) return;
    const change = `from ${this.activeIntervalMs}ms to ${intervalMs}ms`;
    this.#out.log('info', name, `advertisement interval updated ${change} by master`);
    this.activeIntervalMs = intervalMs;
  }
}
