/**
 * The data plane of one worker thread: takes connections on its listeners and runs them. Everything it touches comes in through
 * `ProxyWorkerOptions`; the same class runs on real sockets and in virtual time.
 */

import type { SocketAddress } from '../../core/address.ts';
import { BodyReader } from '../../core/http1/body.ts';
import { ascii } from '../../core/http1/bytes.ts';
import { Head } from '../../core/http1/head.ts';
import { Output } from '../../core/http1/write.ts';
import { acceptRetryMs, headBytesMax, idleClosing } from '../../core/limits.ts';
import type { BalancerPlan, FrontendPlan } from '../../plan/balancer.ts';
import type { Dispatch } from '../dispatch.ts';
import { type ErrorPage, errorPagesWith } from '../error-pages.ts';
import type { Listener, ListenerSocket, Stream, StreamHandler, Streams } from '../ports/streams.ts';
import type { Clock, Random } from '../ports/time.ts';
import { Timer, type TimerOwner, TimerWheel } from '../timer-wheel.ts';
import { HttpClient } from './http-client.ts';
import { IdleExchanges } from './idle-exchanges.ts';
import type { ExchangeLog, LogMoment, ProxyStats } from './ports.ts';
import { ExchangeRecord } from './record.ts';
import {
  type BackendRuntime,
  type ForwardFor,
  type FrontendRuntime,
  forwardFor,
  makeBackend,
  type ProxyClient,
  type ProxyContext,
  type ServerRuntime,
} from './runtime.ts';
import { TcpSession } from './tcp-session.ts';

export interface ProxyWorkerOptions {
  readonly plan: BalancerPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly streams: Streams;
  /** One for each backend of the plan, in its order. */
  readonly dispatches: readonly Dispatch[];
  readonly stats: ProxyStats;
  readonly log: ExchangeLog;
}

export class ProxyWorker implements TimerOwner {
  readonly #context: ProxyContext;
  readonly #backends: readonly BackendRuntime[];
  readonly #frontends: readonly Frontend[];
  readonly #purges: readonly {
    readonly backend: number;
    readonly server: number;
    readonly timer: Timer;
    readonly everyMs: number;
  }[];
  /** Rings while there are idle connections that are not needed. */
  readonly #closing = new Timer(this);
  #idleHandler: (() => void) | undefined;

  constructor(options: ProxyWorkerOptions) {
    const { plan, clock } = options;
    const fieldsMax = plan.global.headerFieldsMax;
    const context: ProxyContext = {
      plan,
      clock,
      random: options.random,
      streams: options.streams,
      wheel: new TimerWheel(clock),
      stats: options.stats,
      log: options.log,
      headBytesMax: plan.global.bufferBytes > 0 ? plan.global.bufferBytes - plan.global.maxRewriteBytes : headBytesMax,
      requestHead: new Head(fieldsMax),
      responseHead: new Head(fieldsMax),
      trailers: new Head(fieldsMax),
      lookahead: new BodyReader(),
      out: new Output(32_768),
      record: new ExchangeRecord(),
      idleExchanges: new IdleExchanges(),
      stopping: false,
      draining: false,
    };
    this.#context = context;
    this.#backends = plan.backends.map((backend, index) => makeBackend(backend, options.dispatches[index]!));
    this.#frontends = plan.frontends.map(
      (frontend) => new Frontend(context, frontend, this.#backends[frontend.backend], () => this.#lookForEnd()),
    );
    this.#purges = this.#startPurges();
  }

  /** Begins to take connections, on each frontend's sockets (in the plan's order). The sockets stay the caller's; this worker has its own hold on them until `stop`. */
  listen(sockets: readonly (readonly ListenerSocket[])[]): void {
    for (const [index, frontend] of this.#frontends.entries())
      for (const socket of sockets[index] ?? []) frontend.listen(socket);
  }

  /** Client connections end after their next response, and idle ones after `retireIdleMs`; goes on taking new ones. */
  drain(): void {
    this.#context.draining = true;
    for (const frontend of this.#frontends) frontend.retire();
  }

  /**
   * Soft stop: takes nothing new, closes idle client connections after `retireIdleMs`, lets exchanges and sessions finish (their
   * responses say `Connection: close`). `finished` is called once no connection is left, to servers neither.
   */
  softStop(finished: () => void): void {
    this.#context.stopping = this.#context.draining = true;
    this.#idleHandler = finished;
    for (const frontend of this.#frontends) frontend.stop();
    for (const { idle } of this.#servers()) idle.retire();
    this.#closeSurplus();
    for (const { timer } of this.#purges) this.#context.wheel.remove(timer);
    this.#lookForEnd();
  }

  /** Hard stop: breaks everything off (`hard-stop-after`, SIGTERM). */
  abort(): void {
    this.#context.stopping = this.#context.draining = true;
    for (const frontend of this.#frontends) {
      frontend.abort();
    }
    for (const { idle } of this.#servers()) idle.clear();
  }

  /** A server went down: its idle connections end. */
  serverDown(backend: number, server: number): void {
    this.#backends[backend]!.servers[server]!.idle.clear();
  }

  /** `on-marked-down shutdown-sessions`: what is under way on the server ends too. */
  endSessions(backend: number, server: number): void {
    this.serverDown(backend, server);
    for (const frontend of this.#frontends) frontend.shutdown(backend, server);
  }

  /** The server's name has another address now, or none: new connections go there, idle ones to the old address end. */
  setServerAddress(backend: number, server: number, address: SocketAddress | undefined): void {
    this.#backends[backend]!.servers[server]!.address = address;
    this.serverDown(backend, server);
  }

  /** Client connections of this worker, those that wait for `maxconn` too. */
  get activeConnections(): number {
    let count = 0;
    for (const frontend of this.#frontends) count += frontend.connectionCount;
    return count;
  }

  /** Idle connections to servers, for statistics. */
  idleConnections(backend: number, server: number): number {
    return this.#backends[backend]!.servers[server]!.idle.size;
  }

  expired(timer: Timer): void {
    if (timer === this.#closing) {
      this.#closeSurplus();
      this.#lookForEnd();
      return;
    }
    const purge = this.#purges.find((one) => one.timer === timer)!;
    this.#backends[purge.backend]!.servers[purge.server]!.idle.purge();
    this.#closeSurplus();
    this.#context.wheel.arm(timer, this.#context.clock.now() + purge.everyMs);
  }

  #startPurges() {
    const now = this.#context.clock.now();
    return this.#backends.flatMap(({ plan }) =>
      plan.servers
        .filter((server) => plan.mode === 'http' && server.poolPurgeDelayMs > 0)
        .map((server) => {
          const timer = new Timer(this);
          this.#context.wheel.arm(timer, now + server.poolPurgeDelayMs);
          return { backend: plan.index, server: server.index, timer, everyMs: server.poolPurgeDelayMs };
        }),
    );
  }

  /** A few of them now, and the next a little later. */
  #closeSurplus(): void {
    let surplus = 0;
    for (const { idle } of this.#servers()) surplus += idle.surplus;
    let most = Math.max(idleClosing.leastAtOnce, Math.ceil(surplus / idleClosing.parts));
    if (surplus > most) this.#context.wheel.arm(this.#closing, this.#context.clock.now() + idleClosing.everyMs);
    for (const { idle } of this.#servers()) {
      const before = idle.size;
      idle.closeSurplus(most);
      most -= before - idle.size;
    }
  }

  *#servers(): Generator<ServerRuntime> {
    for (const backend of this.#backends) yield* backend.servers;
  }

  /** A soft stop is over with the last connection. */
  #lookForEnd(): void {
    if (!this.#context.stopping || this.activeConnections > 0) return;
    for (const { idle } of this.#servers()) if (idle.size > 0) return;
    const handler = this.#idleHandler;
    this.#idleHandler = undefined;
    handler?.();
  }
}

/** One frontend in this worker: its listeners and clients, and the connections that wait because `maxconn` is reached. */
class Frontend implements FrontendRuntime, TimerOwner {
  readonly plan: FrontendPlan;
  readonly backend: BackendRuntime | undefined;
  readonly forwardFor: ForwardFor | undefined;
  readonly logMoment: LogMoment;
  readonly errorPages: ReadonlyMap<number, ErrorPage>;
  readonly monitorUri: Uint8Array | undefined;
  readonly clients = new Set<ProxyClient>();
  readonly #context: ProxyContext;
  readonly #listeners: Listener[] = [];
  readonly #closed: () => void;
  /** Accepted before the listener could be paused; like those in the kernel's backlog they wait unread. */
  readonly #waiting: WaitingClient[] = [];
  readonly #retry = new Timer(this);
  #aborted = false;

  constructor(context: ProxyContext, plan: FrontendPlan, backend: BackendRuntime | undefined, closed: () => void) {
    this.#context = context;
    this.plan = plan;
    this.backend = backend;
    this.forwardFor = forwardFor(plan, backend);
    this.logMoment = context.log.moment(plan.index);
    this.errorPages = errorPagesWith(plan.errorFiles, backend?.plan.errorFiles ?? new Map());
    this.monitorUri = plan.monitorUri === undefined ? undefined : ascii(plan.monitorUri);
    this.#closed = closed;
  }

  listen(socket: ListenerSocket): void {
    const options = { keepAlive: this.plan.clientKeepAlive };
    const id = this.#listeners.length + 1;
    this.#listeners.push(this.#context.streams.listen(socket, options, (stream) => this.#accepted(stream, id)));
  }

  get connectionCount(): number {
    return this.clients.size + this.#waiting.length;
  }

  /** Those that wait for `maxconn` were accepted, and are served yet. */
  stop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.length = 0;
    this.retire();
  }

  abort(): void {
    this.#aborted = true;
    this.stop();
    for (const waiting of this.#waiting) waiting.stream.reset();
    this.#waiting.length = 0;
    this.#context.wheel.remove(this.#retry);
    this.shutdown(-1, -1);
  }

  retire(): void {
    for (const client of this.clients) client.retire();
  }

  shutdown(backend: number, server: number): void {
    for (const client of this.clients) client.shutdown(backend, server);
  }

  connectionClosed(client: ProxyClient): void {
    this.clients.delete(client);
    if (this.#waiting.length > 0) this.#admitWaiting();
    this.#closed();
  }

  expired(): void {
    this.#admitWaiting();
  }

  #accepted(stream: Stream, listener: number): StreamHandler | undefined {
    if (this.#aborted) return undefined;
    if (this.#waiting.length === 0 && this.#context.stats.openConnection(this.plan.index))
      return this.#serve(stream, listener);
    // `maxconn` is reached (manual 4.2 maxconn): this one waits, and the kernel keeps the next ones.
    for (const listener of this.#listeners) listener.pause();
    stream.pause();
    const waiting = new WaitingClient(stream, listener, () =>
      this.#waiting.splice(this.#waiting.indexOf(waiting) >>> 0, 1),
    );
    this.#waiting.push(waiting);
    // Another worker's connection may be the one that ends: look again soon.
    this.#context.wheel.arm(this.#retry, this.#context.clock.now() + acceptRetryMs);
    return waiting;
  }

  #serve(stream: Stream, listener: number): StreamHandler {
    if (this.plan.mode === 'http') {
      const client = new HttpClient(this.#context, this, stream, listener);
      this.clients.add(client);
      return client;
    }
    const session = new TcpSession(this.#context, this, stream, listener);
    this.clients.add(session);
    session.start();
    return session;
  }

  #admitWaiting(): void {
    while (this.#waiting.length > 0 && this.#context.stats.openConnection(this.plan.index)) {
      const waiting = this.#waiting.shift()!;
      waiting.admit(this.#serve(waiting.stream, waiting.listener), this.plan.mode === 'http');
    }
    if (this.#waiting.length > 0) this.#context.wheel.arm(this.#retry, this.#context.clock.now() + acceptRetryMs);
    else for (const listener of this.#listeners) listener.resume();
  }
}

/** A connection that waits for `maxconn`; once admitted it passes everything on. */
class WaitingClient implements StreamHandler {
  readonly stream: Stream;
  readonly listener: number;
  readonly #left: () => void;
  #client: StreamHandler | undefined;
  #ended = false;

  constructor(stream: Stream, listener: number, left: () => void) {
    this.stream = stream;
    this.listener = listener;
    this.#left = left;
  }

  admit(client: StreamHandler, resume: boolean): void {
    this.#client = client;
    if (resume) this.stream.resume();
    if (this.#ended) client.ended();
    this.stream.flush();
  }

  opened(): void {}
  received(buffer: Uint8Array, start: number, end: number): void {
    this.#client?.received(buffer, start, end);
  }
  relayed(bytes: number): void {
    this.#client!.relayed!(bytes);
  }
  drained(): void {
    this.#client?.drained();
  }
  ended(): void {
    this.#ended = true;
    this.#client?.ended();
  }
  closed(error: Parameters<StreamHandler['closed']>[0]): void {
    if (this.#client !== undefined) this.#client.closed(error);
    else this.#left();
  }
}
