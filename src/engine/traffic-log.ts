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
import type { LogSink } from './ports/logs.ts';
import type { Clock } from './ports/time.ts';
import type { ExchangeLog, LogMoment } from './proxy/ports.ts';

/** The lines of one thread go through one of these: it frames them and counts them for sampling. */
class Frames {
  readonly #framers: readonly SyslogFramer[];
  readonly #frame: Uint8Array;
  readonly #clock: Clock;
  readonly #sink: LogSink;

  constructor(plan: BalancerPlan, clock: Clock, sink: LogSink, context: FormatContext) {
    this.#framers = plan.logTargets.map((target) => new SyslogFramer(target, context.pid, context.zone));
    this.#frame = new Uint8Array(longestLine(plan) + 1);
    this.#clock = clock;
    this.#sink = sink;
  }

  send(targets: readonly number[], level: Severity, text: Uint8Array, end: number): void {
    for (const target of targets) {
      const framer = this.#framers[target]!;
      if (!framer.accepts(level)) continue;
      const length = framer.frame(level, this.#clock.wall(), text, 0, end, this.#frame, 0);
      this.#sink.send(target, this.#frame, 0, length);
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
    const end = this.#formats[frontend]!.render(record, this.#line, 0);
    this.#frames.send(log.targets, isDefault ? severities.info : lineLevel(log, record), this.#line, end);
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
