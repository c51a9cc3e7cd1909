/**
 * Log lines of traffic and of the process: decides, renders, frames for each target and hands over to the sink.
 * All buffers are made once: a line costs copies and digits, no strings.
 */
import { compileLogFormat, type FormatContext, type LogFormat } from '../core/log/format.ts';
import { lineLevel, shouldLog } from '../core/log/policy.ts';
import type { LogRecord } from '../core/log/record.ts';
import { connectLog } from '../core/log/standard.ts';
import { type Severity, SyslogFramer, severities } from '../core/log/syslog.ts';
import type { BalancerPlan, FrontendPlan } from '../plan/balancer.ts';
import type { LogPage, LogSink } from './ports/logs.ts';
import type { Clock } from './ports/time.ts';
import type { ExchangeLog, LogMoment } from './proxy/ports.ts';

/** The lines of one thread go through one of these: it frames them and counts them for sampling. */
class Frames {
  readonly #framers: readonly SyslogFramer[];
  readonly #pages: readonly LogPage[];
  readonly #clock: Clock;
  readonly #sink: LogSink;

  constructor(plan: BalancerPlan, clock: Clock, sink: LogSink, context: FormatContext) {
    this.#framers = plan.logTargets.map((target) => new SyslogFramer(target, context.pid, context.zone));
    this.#pages = plan.logTargets.map((_, target) => sink.page(target));
    this.#clock = clock;
    this.#sink = sink;
  }

  accepts(target: number, level: Severity): boolean {
    return this.#framers[target]!.accepts(level);
  }

  /** A line for one target only is rendered where it is sent from. */
  render(target: number, level: Severity, format: LogFormat, record: LogRecord): void {
    const framer = this.#framers[target]!;
    const { bytes, end: start } = this.#pages[target]!;
    const end = format.render(record, bytes, framer.begin(level, this.#clock.wall(), bytes, start));
    this.#sink.commit(target, framer.finish(bytes, start, end));
  }

  /** A line that is there already, for all targets that accept it. */
  send(targets: readonly number[], level: Severity, text: Uint8Array, textEnd: number): void {
    for (const target of targets) {
      if (!this.accepts(target, level)) continue;
      const { bytes, end: start } = this.#pages[target]!;
      const end = this.#framers[target]!.frame(level, this.#clock.wall(), text, 0, textEnd, bytes, start);
      this.#sink.commit(target, end);
    }
  }
}

function longestLine(plan: BalancerPlan): number {
  return plan.logTargets.reduce((longest, target) => Math.max(longest, target.length), 1024);
}

/** The traffic of one worker. */
export class TrafficLog implements ExchangeLog {
  readonly #frontends: readonly FrontendPlan[];
  readonly #formats: readonly LogFormat[];
  readonly #frames: Frames;
  readonly #line: Uint8Array;

  /** @throws when a format does not compile: the plan has checked them all, so that would be our own mistake. */
  constructor(plan: BalancerPlan, clock: Clock, sink: LogSink, context: FormatContext) {
    this.#frontends = plan.frontends;
    this.#formats = plan.frontends.map((frontend) => compile(frontend, context));
    this.#frames = new Frames(plan, clock, sink, context);
    this.#line = new Uint8Array(longestLine(plan));
  }

  moment(frontend: number): LogMoment {
    const { log } = this.#frontends[frontend]!;
    if (log.targets.length === 0) return 'never';
    if (log.format === undefined) return 'begin';
    return log.logAsap || !this.#formats[frontend]!.waitsForEnd ? 'head' : 'end';
  }

  exchange(frontend: number, _backend: number, record: LogRecord, receivedBytes: boolean): void {
    const { log } = this.#frontends[frontend]!;
    // The options that choose lines by how an exchange went mean nothing to a line that is written before.
    const isDefault = log.format === undefined;
    if (log.targets.length === 0 || !(isDefault || shouldLog(log, record, receivedBytes))) return;
    const level = isDefault ? severities.info : lineLevel(log, record);
    const format = this.#formats[frontend]!;
    const { targets } = log;
    if (targets.length === 1 && this.#frames.accepts(targets[0]!, level)) {
      this.#frames.render(targets[0]!, level, format, record);
      return;
    }
    // Also when nobody wants it: a format may count its lines (%lc).
    const end = format.render(record, this.#line, 0);
    if (targets.length > 1) this.#frames.send(targets, level, this.#line, end);
  }
}

function compile(frontend: FrontendPlan, context: FormatContext): LogFormat {
  const unix = frontend.binds.length > 0 && frontend.binds.every((bind) => bind.address.family === 'unix');
  const text = frontend.log.format ?? connectLog(frontend.mode, unix);
  const compiled = compileLogFormat(text, frontend.mode, context);
  if (!compiled.ok) throw new Error(`log format of frontend ${frontend.name}: ${compiled.message}`);
  return compiled.format;
}

/** What the process itself has to say: servers' states, start and stop. */
export class MessageLog {
  readonly #frames: Frames;
  readonly #encoder = new TextEncoder();

  constructor(plan: BalancerPlan, clock: Clock, sink: LogSink, context: FormatContext) {
    this.#frames = new Frames(plan, clock, sink, context);
  }

  /** @param targets indexes into the plan's `logTargets`. */
  message(targets: readonly number[], level: Severity, text: string): void {
    const bytes = this.#encoder.encode(text);
    this.#frames.send(targets, level, bytes, bytes.length);
  }
}
