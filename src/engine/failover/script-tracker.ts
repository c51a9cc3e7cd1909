/**
 * One `vrrp_script`: run every interval, never two at once, ended at its timeout, judged by rise and fall.
 *
 * Keepalived's counter: below `rise` the script counts as failed, from `rise` on as well; a success counts up, a failure down, and
 * crossing the border jumps to the far end of the other side. At the start one result either way is enough, unless `init_fail`.
 */
import type { TrackedScriptPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';
import type { CommandResult, RunningCommand, Scripts } from '../ports/scripts.ts';
import type { Alarm, Clock } from '../ports/time.ts';

/** After SIGTERM a script gets this long before SIGKILL. Keepalived waits half a second and more; a check has nothing to save. */
const terminateMs = 200;

export class ScriptTracker {
  readonly plan: TrackedScriptPlan;
  readonly #scripts: Scripts;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #changed: () => void;
  readonly #alarm: Alarm;
  readonly #timeout: Alarm;
  #running: RunningCommand | undefined;
  /** Which run a result belongs to: one that was given up must not count for the next. */
  #run = 0;
  #timedOut: 'no' | 'terminated' | 'killed' = 'no';
  #nextAt: number;
  #count: number;
  #judged = false;
  #lastStatus: number | undefined;
  #closed = false;

  constructor(
    plan: TrackedScriptPlan,
    ports: { readonly scripts: Scripts; readonly clock: Clock; readonly journal: Journal },
    changed: () => void,
  ) {
    this.plan = plan;
    this.#scripts = ports.scripts;
    this.#clock = ports.clock;
    this.#journal = ports.journal;
    this.#changed = changed;
    this.#alarm = ports.clock.alarm(() => this.#due());
    this.#timeout = ports.clock.alarm(() => this.#tooLong());
    this.#count = plan.initFail ? 0 : plan.rise - 1;
    this.#judged = plan.initFail;
    this.#nextAt = ports.clock.now();
    this.#alarm.set(this.#nextAt);
  }

  get result(): 'well' | 'failed' | 'unknown' {
    if (!this.#judged) return 'unknown';
    return this.#count >= this.plan.rise ? 'well' : 'failed';
  }

  /** For dumps: from `rise` on the script counts as well. */
  get count(): number {
    return this.#count;
  }

  /** Status of the last run that ended by itself, for dumps. */
  get lastStatus(): number | undefined {
    return this.#lastStatus;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#alarm.clear();
    this.#timeout.clear();
    this.#running?.signal('SIGKILL');
    this.#running = undefined;
  }

  #due(): void {
    const now = this.#clock.now();
    // From the deadline, not from now: the interval must not grow with every late timer. After a stall it starts anew.
    this.#nextAt += this.plan.intervalMs;
    if (this.#nextAt <= now) this.#nextAt = now + this.plan.intervalMs;
    this.#alarm.set(this.#nextAt);
    if (this.#running !== undefined) return;
    this.#timedOut = 'no';
    const run = ++this.#run;
    this.#running = this.#scripts.run(this.plan.command, (result) => {
      if (run !== this.#run || this.#closed) return;
      this.#running = undefined;
      this.#timeout.clear();
      this.#ended(result);
    });
    this.#timeout.set(now + this.plan.timeoutMs);
  }

  #tooLong(): void {
    if (this.#running === undefined) return;
    if (this.#timedOut === 'no') {
      this.#timedOut = 'terminated';
      this.#running.signal('SIGTERM');
      this.#timeout.set(this.#clock.now() + terminateMs);
    } else if (this.#timedOut === 'terminated') {
      this.#timedOut = 'killed';
      this.#running.signal('SIGKILL');
    }
  }

  #ended(result: CommandResult): void {
    if (this.#timedOut !== 'no') this.#failed('timed_out');
    else if (result.kind === 'exited') {
      if (result.status !== (this.#lastStatus ?? 0))
        this.#journal.log('info', `Script \`${this.plan.name}\` now returning ${result.status}`);
      this.#lastStatus = result.status;
      if (result.status === 0) this.#succeeded();
      else this.#failed(`failed (exited with status ${result.status})`);
    } else if (result.kind === 'killed') this.#failed(`failed (due to signal ${result.signal})`);
    else this.#failed(`failed (could not be started: ${result.reason})`);
  }

  #succeeded(): void {
    const { rise, fall } = this.plan;
    const first = !this.#judged;
    if (this.#count < rise - 1) {
      this.#count++;
      return;
    }
    const crossed = this.#count < rise;
    this.#count = rise + fall - 1;
    this.#judged = true;
    if (!crossed && !first) return;
    this.#journal.log('info', `VRRP_Script(${this.plan.name}) succeeded`);
    this.#changed();
  }

  #failed(how: string): void {
    const { rise } = this.plan;
    const first = !this.#judged;
    if (this.#count > rise) {
      this.#count--;
      return;
    }
    const crossed = this.#count === rise;
    this.#count = 0;
    this.#judged = true;
    if (!crossed && !first) return;
    this.#journal.log('info', `VRRP_Script(${this.plan.name}) ${how}`);
    this.#changed();
  }
}
