/**
 * The balancer's supervisor: listening sockets, the configuration in force, its replacement without a lost connection, the process's
 * own messages, and readiness: what it tells the VRRP half is what it knows, at the moment it knows it.
 */
import { hostname } from 'node:os';
import { realClock } from '../../adapters/clock.ts';
import { createLogSink, type SyslogSink } from '../../adapters/syslog.ts';
import type { TakenListeners } from '../../adapters/take-over.ts';
import { localZone } from '../../adapters/zone.ts';
import { supervisor as limits } from '../../core/limits.ts';
import { type Severity, severities } from '../../core/log/syslog.ts';
import { snapshot } from '../../engine/stats.ts';
import { MessageLog } from '../../engine/traffic-log.ts';
import type { BalancerPlan } from '../../plan/balancer.ts';
import { Generation } from './generation.ts';
import { Listeners, type SocketStore } from './listeners.ts';

export interface SupervisorOptions {
  /** Listening sockets of the processes that this one replaces. */
  readonly taken?: TakenListeners | undefined;
  readonly io: 'uring' | 'net';
  /** Writes a line for the operator: HAProxy's form on standard error. */
  readonly tell: (severity: 'alert' | 'warning' | 'notice', text: string) => void;
  /**
   * Told `serving`, `degraded <reason>` or `not-serving <reason>` at each change, `beat` unless it does not serve, and once `settled`: everything is bound, and every
   * server has been checked.
   */
  readonly readiness: (line: string) => void;
  /** Keeps listening sockets over a restart of the process; and those it kept for this one. */
  readonly store?: SocketStore | undefined;
  readonly inherited?: ReadonlyMap<string, number>;
  /** The process ends right after a stop: it takes the worker threads with it, which costs less than ending each. */
  readonly exits?: boolean;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #listeners: Listeners;
  #generation: Generation | undefined;
  #log: { readonly sink: SyslogSink; readonly messages: MessageLog; readonly plan: BalancerPlan } | undefined;
  #said = '';
  #settled = false;
  #stopping = false;
  #beat: NodeJS.Timeout | undefined;
  #watchedAt = 0;
  #beatAt = -Infinity;
  readonly #beats = new Map<number, { count: number; at: number }>();
  readonly #retiring = new Set<Generation>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#listeners = new Listeners(options.store, options.inherited, options.taken);
  }

  get generation(): Generation | undefined {
    return this.#generation;
  }

  /** What was last told: `serving`, or `not-serving` and the reason. */
  get readiness(): string {
    return this.#said;
  }

  /** Binds and starts. Throws BindError when an address can't be had; then nothing was started. */
  async start(plan: BalancerPlan): Promise<void> {
    const sockets = this.#listeners.bind(plan);
    this.#listeners.forgetInherited();
    this.#openLog(plan);
    const generation = new Generation(plan, sockets, this.#options.io, this.#events());
    this.#generation = generation;
    await generation.start();
    generation.startWatching();
    this.#beat = setInterval(() => this.#watch(), limits.workerBeatMs);
    this.#judge();
  }

  /**
   * Puts another plan in force. Connections of the old one go on to their end; both share the sockets, so none is refused.
   * Throws BindError when a new address can't be had; then nothing has changed.
   */
  async reload(plan: BalancerPlan): Promise<void> {
    const old = this.#generation;
    const sockets = this.#listeners.bind(plan);
    const next = new Generation(plan, sockets, this.#options.io, this.#events());
    if (old !== undefined) next.resumeFrom(old);
    await next.start();
    if (old !== undefined) this.#retire(old);
    this.#openLog(plan);
    this.#generation = next;
    this.#beats.clear();
    next.startWatching();
    this.#listeners.closeOthers(plan);
    this.#judge();
  }

  /** Closes what is idle, and connections after their next response, while new ones are still taken: before an address moves. */
  drain(): void {
    this.#generation?.drain();
  }

  /**
   * SIGUSR1: takes nothing new and resolves when the last exchange is over. With `grace` (manual 3.1) it is `not-serving` at once, and
   * goes on taking connections for that long: whoever steers clients here has time to steer them elsewhere.
   */
  async softStop(): Promise<void> {
    this.#beginStop();
    const generation = this.#generation;
    if (generation === undefined) return;
    const { graceMs } = generation.plan.global;
    if (graceMs > 0) await new Promise((resolve) => setTimeout(resolve, graceMs));
    this.#retire(generation, this.#options.exits);
    this.#listeners.closeAll();
    await Promise.all([...this.#retiring].map((each) => each.finished));
    this.#end();
  }

  /** SIGTERM: ends everything now. */
  async stop(): Promise<void> {
    this.#beginStop();
    await Promise.all(
      [...this.#retiring, ...(this.#generation === undefined ? [] : [this.#generation])].map((g) =>
        g.terminate(this.#options.exits),
      ),
    );
    if (this.#generation !== undefined) this.#sayStopped(this.#generation);
    this.#listeners.closeAll();
    this.#end();
  }

  #beginStop(): void {
    this.#stopping = true;
    clearInterval(this.#beat);
    this.#judge();
  }

  #end(): void {
    this.#log?.sink.close();
    this.#log = undefined;
  }

  /** A generation that is no longer in force finishes its exchanges, for `hard-stop-after` at most. */
  #retire(old: Generation, processEnds = false): void {
    this.#retiring.add(old);
    old.softStop(processEnds);
    this.#sayStopped(old);
    const { hardStopAfterMs } = old.plan.global;
    const timer = hardStopAfterMs > 0 ? setTimeout(() => void old.terminate(), hardStopAfterMs) : undefined;
    void old.finished.then(() => {
      clearTimeout(timer);
      this.#retiring.delete(old);
    });
  }

  #events() {
    return {
      message: (plan: BalancerPlan, backend: number, level: number, text: string) => {
        this.#message(plan, backend, level as Severity, text);
      },
      changed: () => this.#judge(),
    };
  }

  #openLog(plan: BalancerPlan): void {
    this.#log?.sink.close();
    const sink = createLogSink(plan.logTargets);
    const context = { pid: process.pid, hostname: plan.global.node || hostname(), zone: localZone };
    this.#log = { sink, messages: new MessageLog(plan, realClock, sink, context), plan };
  }

  /** To the log targets of the proxy (or the process), and to the operator as HAProxy writes it on standard error. */
  #message(plan: BalancerPlan, backend: number, level: Severity, text: string): void {
    const targets = backend < 0 ? plan.global.logs : (plan.backends[backend]?.log.targets ?? []);
    if (this.#log?.plan === plan) this.#log.messages.message(targets, level, text);
    const severity = level <= severities.alert ? 'alert' : level <= severities.warning ? 'warning' : 'notice';
    this.#options.tell(severity, text);
  }

  #sayStopped(generation: Generation): void {
    const { plan, board } = generation;
    const { frontends, backends } = snapshot(board, realClock.wall());
    const said = new Set<string>();
    const say = (name: string, targets: readonly number[]) => {
      if (said.has(name)) return;
      said.add(name);
      const front = frontends.find(({ pxname }) => pxname === name)?.stot ?? 0;
      const back = backends.find(({ own }) => own.pxname === name)?.own.stot ?? 0;
      const text = `Proxy ${name} stopped (cumulated conns: FE: ${front}, BE: ${back}).`;
      if (this.#log?.plan === plan) this.#log.messages.message(targets, severities.warning, text);
      this.#options.tell('warning', text);
    };
    for (const frontend of plan.frontends) say(frontend.name, frontend.log.targets);
    for (const backend of plan.backends) say(backend.name, backend.log.targets);
  }

  // ---------------------------------------------------------------- readiness

  /** Looks at the workers' heartbeats, and passes the news on. */
  #watch(): void {
    const now = realClock.now();
    // Two turns late: this thread stood still, and so did the workers' with it. They get their full time again.
    if (now - this.#watchedAt > 3 * limits.workerBeatMs) this.#beats.clear();
    this.#watchedAt = now;
    this.#judge();
    if (this.#said.startsWith('not-serving') || now - this.#beatAt < limits.beatMs - limits.workerBeatMs / 2) return;
    this.#beatAt = now;
    this.#options.readiness('beat');
  }

  #judge(): void {
    const reason = this.#reasonNotToServe();
    const line = reason === undefined ? this.#howItServes() : `not-serving ${reason}`;
    if (line !== this.#said) {
      this.#said = line;
      this.#options.readiness(line);
    }
    if (this.#settled || this.#generation?.checker.allChecked() !== true) return;
    this.#settled = true;
    this.#options.readiness('settled');
  }

  /** Why this balancer can't serve now. Ready means: bound, workers turning, every server checked once. */
  #reasonNotToServe(): string | undefined {
    const generation = this.#generation;
    if (this.#stopping) return 'the balancer is stopping';
    if (generation === undefined) return 'the balancer is starting';
    if (!generation.accepting) return 'no worker takes connections';
    if (!generation.checker.allChecked()) return 'the servers are being checked for the first time';
    return this.#silentWorkers(generation);
  }

  /** Without a server in any backend it still answers, with 503: better than silence, and worse than a peer that reaches servers. */
  #howItServes(): string {
    const usable = this.#generation?.checker.anyBackendUsable() === true;
    return usable ? 'serving' : 'degraded no server is left in any backend';
  }

  /** Worker threads that hang serve nobody, though they exist: their event loops must turn. */
  #silentWorkers(generation: Generation): string | undefined {
    const now = realClock.now();
    let silent = 0;
    const { nbthread } = generation.plan.global;
    for (let worker = 0; worker < nbthread; worker++) {
      const count = generation.board.workerCell(worker, 'heartbeat');
      const before = this.#beats.get(worker);
      if (before === undefined || before.count !== count) this.#beats.set(worker, { count, at: now });
      else if (now - before.at > limits.workerSilentMs) silent++;
    }
    return silent === nbthread ? 'all worker threads hang' : undefined;
  }
}
