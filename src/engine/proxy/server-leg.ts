/**
 * How an HTTP request comes to a connection: an idle one of its server's pool or a new one, and another when that one dies before
 * any answer (RFC 9110 §9.2.2; docs/decisions.md, "A safe request survives its server").
 */

import { relayBytesMin } from '../../core/limits.ts';
import type { StreamError } from '../ports/streams.ts';
import { ExchangeReport } from './exchange-report.ts';
import type { HttpClient } from './http-client.ts';
import { LastBytes } from './last-bytes.ts';
import { RequestSide } from './request-side.ts';
import { type ResponseOwner, ResponseSide } from './response-side.ts';
import type { BackendRuntime, ServerRuntime } from './runtime.ts';
import { serverAddress } from './server-address.ts';
import { type ConnectionUser, ServerConnection } from './server-connection.ts';
import { ServerSearch } from './server-search.ts';

/** `goes-on`: the request is on its way again · `raced`: it may have been processed, its sender must decide · `failed`. */
type Recovery = 'goes-on' | 'raced' | 'failed';

export abstract class ServerLeg extends ServerSearch implements ConnectionUser, ResponseOwner {
  /** Whom it serves: set anew for each request. */
  client!: HttpClient;
  readonly request = new RequestSide();
  readonly report = new ExchangeReport();
  readonly response = new ResponseSide(this.request, this.report, this);
  protected connection: ServerConnection | undefined;
  /** An idle connection turned out dead: no other is tried. */
  #racedOnce = false;
  /** It left a server that had it: once, for it may be what killed that server. */
  #movedOnce = false;
  #requestRelays = false;
  #responseRelays = false;
  /** Relayed bytes wait for the client, and its time runs. */
  #clientAwaited = false;

  abstract responseBegins(): void;
  /** The connection stands, or an idle one was taken. */
  abstract serverOpened(): void;
  abstract serverBytes(buffer: Uint8Array, start: number, end: number): void;
  abstract serverRelayed(bytes: number): void;
  abstract serverDrained(): void;
  abstract serverEnded(error: StreamError | undefined): void;

  protected resetLeg(backend: BackendRuntime | undefined): void {
    this.resetSearch(backend);
    this.#racedOnce = this.#movedOnce = false;
    this.#requestRelays = this.#responseRelays = this.#clientAwaited = false;
  }

  protected open(): void {
    const { context, client } = this;
    const { plan, servers } = this.backend!;
    const server = servers[this.server]!;
    const pooled = this.#racedOnce || !this.response.keepServer ? undefined : this.#takeIdle(server);
    if (pooled !== undefined) {
      this.connection = pooled;
      pooled.serve(this);
      context.stats.reused(plan.index, this.server);
      this.serverOpened();
      return;
    }
    const to = serverAddress(server.address, server.plan.portOffset, client.stream);
    if (to === undefined) {
      this.connectFailed(false);
      return;
    }
    context.stats.connectAttempt(plan.index, this.server);
    const connection = new ServerConnection(server, plan.reuse === 'never' ? client.ownIdle() : server.idle);
    this.connection = connection;
    connection.serve(this);
    const from = server.plan.source ?? plan.source;
    const keepAlive = plan.serverKeepAlive;
    connection.stream = context.streams.connect(
      from === undefined ? { to, keepAlive } : { to, from, keepAlive },
      connection,
    );
    this.armConnect();
  }

  /** Manual 4.2 http-reuse: a client's first request may not bet on a connection whose death it could not survive unseen. */
  #takeIdle(server: ServerRuntime): ServerConnection | undefined {
    const { reuse } = this.backend!.plan;
    if (reuse === 'never') return this.#takeOwn(server);
    const pool = server.idle;
    if (pool.size === 0) return undefined;
    if (this.client.requests > 1 || reuse === 'always') return pool.take(false);
    return reuse === 'aggressive' ? pool.take(true) : undefined;
  }

  /** `http-reuse never`: a connection serves one client only, and only as long as the same server is chosen. */
  #takeOwn(server: ServerRuntime): ServerConnection | undefined {
    const own = this.client.ownIdle().take(false);
    if (own === undefined || own.server === server) return own;
    own.discard();
    return undefined;
  }

  serverRefused(): void {
    this.dropConnection();
    this.connectFailed(false);
    this.client.stream.flush();
  }

  protected connectTimedOut(): void {
    this.dropConnection();
    this.connectFailed(true);
  }

  /**
   * The connection died, and no final answer had begun. A pooled connection that the server closed while we sent is the ordinary race of
   * keep-alive: an idempotent request goes out again on a new connection. A new connection that dies means that the server does: a safe
   * request goes to another server.
   */
  protected recover(): Recovery {
    const connection = this.connection!;
    const untouched = this.response.isUntouched(connection);
    const raced = untouched && connection.exchanges > 1 && !this.#racedOnce;
    this.dropConnection();
    if (raced) {
      this.#racedOnce = true;
      if (this.request.mayGoAgain) {
        this.reconnect();
        this.flush();
        return 'goes-on';
      }
    }
    this.serverFault();
    if (untouched && this.#moveOnce()) return 'goes-on';
    return raced ? 'raced' : 'failed';
  }

  /** The server is given up while it has the request. @returns false when the request can't go elsewhere. */
  protected leaveServer(): boolean {
    const untouched = this.response.isUntouched(this.connection!);
    this.dropConnection();
    return untouched && this.#moveOnce();
  }

  #moveOnce(): boolean {
    if (this.#movedOnce || !this.request.mayGoElsewhere) return false;
    this.#movedOnce = true;
    if (!this.moveElsewhere()) return false;
    this.flush();
    return true;
  }

  /** The exchange is over: its connection goes back to the pool if it can, and its slot to the next. */
  protected partWithServer(): void {
    const { connection, context, response } = this;
    context.wheel.disarm(this.timer);
    context.record.serverStream = connection?.stream;
    if (connection !== undefined) {
      this.connection = undefined;
      const whole = this.request.body.done && response.body.done;
      if (response.keepServer && whole && !context.stopping) connection.rest();
      else this.#giveUp(connection);
    }
    this.releaseServer();
  }

  protected logEarly(): void {
    this.report.logged = true;
    this.context.record.serverStream = this.connection?.stream;
    this.report.tell(this, 'early');
  }

  protected serverFault(): void {
    this.context.stats.responseError(this.backend!.plan.index, this.server);
  }

  /** Ends the connection to the server; what it was doing is of no use any more. */
  protected dropConnection(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    this.context.wheel.disarm(this.timer);
    this.#giveUp(connection);
  }

  /** A server that doesn't read holds up what waits to be sent to it: a part of a request is of no use, a whole one has its time. */
  #giveUp(connection: ServerConnection): void {
    const { stream } = connection;
    if (stream.unsentBytes === 0) connection.discard();
    else if (this.request.body.done) {
      const { server, serverFin } = this.backend!.plan.timeouts;
      connection.letGo();
      connection.last = LastBytes.close(this.context, stream, serverFin || server);
    } else connection.abort();
  }

  /** The rest of a long body needs no looking at: the adapter may pass it on by itself. */
  protected relayRequest(): void {
    const { unread } = this.request.body;
    if (this.#requestRelays || unread < relayBytesMin) return;
    this.#requestRelays = true;
    this.client.stream.relay?.(this.connection!.stream, unread);
  }

  protected relayResponse(): void {
    // The adapter shows bytes again, and the client takes them: nothing else would stop its time.
    if (this.#clientAwaited) this.#clientIsReady();
    const { unread } = this.response.body;
    if (this.#responseRelays || unread < relayBytesMin) return;
    this.#responseRelays = true;
    this.connection!.stream.relay?.(this.client.stream, unread);
  }

  /** It did pass so many on, or what it could not pass on before moves. */
  protected requestRelayed(bytes: number): void {
    const { body } = this.request;
    if (body.done) {
      // The server has not seen the end of the request while it still reads.
      if (!this.response.started) this.armServer();
      return;
    }
    if (bytes > 0) body.skip(bytes);
    this.report.bytesUploaded += bytes;
    this.armServer();
    if (body.done || this.connection!.stream.unsentBytes > 0) this.client.disarmClient();
    else this.client.armClient();
  }

  /** @returns true at the body's end. */
  protected responseRelayed(bytes: number): boolean {
    const { body } = this.response;
    if (bytes > 0) body.skip(bytes);
    this.report.bytesRead += bytes;
    if (body.done) return true;
    if (this.client.stream.unsentBytes > 0) {
      this.context.wheel.disarm(this.timer);
      this.client.armClient();
      this.#clientAwaited = true;
    } else {
      this.#clientIsReady();
      this.armServer();
    }
    return false;
  }

  #clientIsReady(): void {
    this.#clientAwaited = false;
    if (this.request.body.done) this.client.disarmClient();
  }

  protected armServer(): void {
    const { server } = this.backend!.plan.timeouts;
    if (server > 0) this.context.wheel.arm(this.timer, this.context.clock.now() + server);
  }

  protected flush(): void {
    this.client.stream.flush();
    this.connection?.stream.flush();
  }
}
