/**
 * How a request or session comes to a server: assign, wait in a queue, connect, and after a failed connection try again, there or
 * elsewhere (manual 4.2 retries, option redispatch). HTTP exchanges and TCP sessions are both one of these.
 */
import { noServer, queued, queueFull, type Waiter } from '../dispatch.ts';
import { Timer, type TimerOwner } from '../timer-wheel.ts';
import type { BackendRuntime, ProxyContext } from './runtime.ts';

type SearchState = 'none' | 'queued' | 'turn-around' | 'connecting' | 'connected';

/** HAProxy counts `random` among them, too. */
const byTurns: ReadonlySet<string> = new Set(['roundrobin', 'static-rr', 'random']);

/** Longest pause before the same server is tried again (HAProxy: one second, or timeout connect if that is less). */
const turnAroundMs = 1_000;

export abstract class ServerSearch implements Waiter, TimerOwner {
  readonly context: ProxyContext;
  /** The server side's deadline: queue, connect, then whatever the subclass waits for. */
  readonly timer = new Timer(this);
  backend: BackendRuntime | undefined;
  search: SearchState = 'none';
  server = -1;
  balanceHash = -1;
  avoidServer = -1;
  queueTicket = -1;
  retries = 0;
  redispatched = false;
  /** Its position in the queues when it was queued, 0 = it never was (%sq, %bq). */
  serverQueue = 0;
  backendQueue = 0;
  searchStartedAt = 0;
  /** -1 until it happened. */
  queueMs = -1;
  connectMs = -1;
  connectStartedAt = 0;
  connectedAt = 0;
  /** Requests that its server had besides when its slot went back (%sc), -1 while it holds one. */
  othersAtServer = -1;
  #holdsSlot = false;
  /** Servers that were tried in vain. */
  readonly #failed: number[] = [];

  constructor(context: ProxyContext) {
    this.context = context;
  }

  /** Begins to connect to `this.server`, or takes an idle connection; `connected` or `connectFailed` follows. */
  protected abstract open(): void;
  /** There is no server: cause and state as in termination codes (manual 8.5). */
  protected abstract searchFailed(cause: 's' | 'S', state: 'C' | 'Q'): void;
  /** The deadline passed while connected. */
  protected abstract serverExpired(): void;
  /** Sends what was gathered: the caller is not one of the streams. */
  protected abstract flush(): void;

  protected resetSearch(backend: BackendRuntime | undefined): void {
    this.backend = backend;
    this.search = 'none';
    this.server = this.avoidServer = this.balanceHash = this.othersAtServer = -1;
    this.retries = this.serverQueue = this.backendQueue = 0;
    this.redispatched = false;
    // Setting a length is a call into V8's runtime, and hardly any request has failed anywhere.
    if (this.#failed.length > 0) this.#failed.length = 0;
    this.queueMs = this.connectMs = -1;
  }

  protected findServer(): void {
    this.searchStartedAt = this.context.clock.now();
    this.#assigned(this.backend!.dispatch.assign(this));
  }

  slotGranted(server: number): void {
    this.#holdsSlot = true;
    this.context.wheel.disarm(this.timer);
    this.#chosen(server);
    this.flush();
  }

  slotRefused(result: typeof noServer | typeof queueFull): void {
    this.context.wheel.disarm(this.timer);
    this.search = 'none';
    this.queueMs = this.context.clock.now() - this.searchStartedAt;
    this.searchFailed('S', result === queueFull ? 'Q' : 'C');
    this.flush();
  }

  /** To be called when the connection stands, or one was taken from the pool. */
  protected connected(): void {
    this.connectedAt = this.context.clock.now();
    this.connectMs = this.connectedAt - this.connectStartedAt;
    this.search = 'connected';
    this.context.wheel.disarm(this.timer);
  }

  /** The connection failed, or didn't stand in time: next attempt, or the end. */
  protected connectFailed(timedOut: boolean): void {
    const backend = this.backend!;
    const { stats, wheel } = this.context;
    const cause = timedOut ? 's' : 'S';
    stats.connectError(backend.plan.index, this.server);
    wheel.disarm(this.timer);
    if (this.retries >= backend.plan.retries) {
      this.searchFailed(cause, 'C');
      return;
    }
    this.retries++;
    const failed = this.server;
    stats.retry(backend.plan.index, failed);
    const elsewhere = this.#mayRedispatch();
    this.releaseServer();
    const result = elsewhere ? this.#assignElsewhere(failed) : backend.dispatch.assignTo(this, failed);
    if (result !== failed) {
      if (result >= 0) this.#moved();
      this.server = failed;
      this.#assigned(result);
      return;
    }
    // Nowhere else to go: give the server time, as HAProxy does (its "turn-around" state).
    this.#holdsSlot = true;
    this.search = 'turn-around';
    const { connect } = backend.plan.timeouts;
    wheel.arm(this.timer, this.context.clock.now() + (connect > 0 ? Math.min(connect, turnAroundMs) : turnAroundMs));
  }

  /** A pooled connection turned out dead before anything of the request was answered: the same server, a new connection. */
  protected reconnect(): void {
    this.search = 'connecting';
    this.connectStartedAt = this.context.clock.now();
    this.open();
  }

  /** Gives the slot back, or leaves the queue. */
  protected releaseServer(): void {
    if (this.search === 'queued') {
      this.queueMs = this.context.clock.now() - this.searchStartedAt;
      this.backend!.dispatch.abandon(this);
    }
    this.search = 'none';
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    const { dispatch } = this.backend!;
    // Before the slot goes on to the next in the queue.
    this.othersAtServer = Math.max(0, dispatch.serverConnections(this.server) - 1);
    dispatch.release(this.server);
  }

  expired(): void {
    const { search } = this;
    if (search === 'queued') {
      this.releaseServer();
      this.searchFailed('s', 'Q');
    } else if (search === 'turn-around') this.#connect();
    else if (search === 'connecting') this.connectTimedOut();
    else this.serverExpired();
    this.flush();
  }

  /** Timeout connect: the subclass drops its connection, then calls `connectFailed(true)`. */
  protected abstract connectTimedOut(): void;

  #mayRedispatch(): boolean {
    const { plan } = this.backend!;
    if (plan.freeRedispatch) return true;
    if (plan.redispatch === 0) return false;
    // Where servers are taken by turns no request cares which one it gets, so HAProxy moves it at once.
    if (byTurns.has(plan.balance.algorithm)) return true;
    const every = plan.redispatch > 0 ? plan.redispatch : Math.max(1, plan.retries + 1 + plan.redispatch);
    return this.retries % every === 0;
  }

  /**
   * The server is lost with the request, which may be sent twice: gives it to another server, if the configuration lets requests move
   * (docs/decisions.md, "A safe request survives its server"). The slot is given back in any case.
   * @returns false when there is no other, or no attempt left.
   */
  protected moveElsewhere(): boolean {
    const { plan, dispatch } = this.backend!;
    const failed = this.server;
    this.releaseServer();
    if (this.retries >= plan.retries || (plan.redispatch === 0 && !plan.freeRedispatch)) return false;
    const result = this.#assignElsewhere(failed);
    if (result === failed) dispatch.release(failed);
    if (result === failed || result === noServer || result === queueFull) return false;
    this.retries++;
    this.context.stats.retry(plan.index, failed);
    this.#moved();
    this.#assigned(result);
    return true;
  }

  /** Assigns a server that has not failed this request yet, if the algorithm comes to one: each look moves its turn on. */
  #assignElsewhere(failed: number): number {
    const { dispatch, plan } = this.backend!;
    this.#failed.push(failed);
    this.avoidServer = failed;
    for (let looks = plan.servers.length; ; looks--) {
      const result = dispatch.assign(this);
      if (result < 0 || looks <= 1 || !this.#failed.includes(result)) return result;
      dispatch.release(result);
      this.avoidServer = result;
    }
  }

  #moved(): void {
    this.redispatched = true;
    this.context.stats.redispatch(this.backend!.plan.index, this.server);
  }

  #assigned(result: number): void {
    if (result >= 0) {
      this.#holdsSlot = true;
      this.#chosen(result);
      return;
    }
    if (result === queued) {
      const { plan, dispatch } = this.backend!;
      this.search = 'queued';
      this.server = -1;
      // HAProxy's position counts the request itself, and so does the length.
      const server = dispatch.queuedAt(this);
      if (server >= 0) this.serverQueue = dispatch.serverQueueLength(server);
      else this.backendQueue = dispatch.backendQueueLength();
      // Manual 4.2 timeout queue: without it, timeout connect applies.
      const limit = plan.timeouts.queue || plan.timeouts.connect;
      if (limit > 0) this.context.wheel.arm(this.timer, this.context.clock.now() + limit);
      return;
    }
    if (result === queueFull) {
      this.server = this.backend!.dispatch.fullServer();
      this.searchFailed('S', 'Q');
      return;
    }
    if (result === noServer) {
      this.searchFailed('S', 'C');
      return;
    }
  }

  #chosen(server: number): void {
    this.server = server;
    this.othersAtServer = -1;
    if (this.queueMs < 0) this.queueMs = this.context.clock.now() - this.searchStartedAt;
    this.#connect();
  }

  #connect(): void {
    this.search = 'connecting';
    this.connectStartedAt = this.context.clock.now();
    this.open();
  }

  /** For `open`: arms timeout connect. */
  protected armConnect(): void {
    const { connect } = this.backend!.plan.timeouts;
    if (connect > 0) this.context.wheel.arm(this.timer, this.context.clock.now() + connect);
  }
}
