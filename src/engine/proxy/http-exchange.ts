/**
 * One request and its answer. The request's side is fed by HttpClient, the response's by ServerConnection; bodies pass through as
 * they come, held back on the one side when the other can't take more. One object a client connection, used again.
 *
 * Phases: `search` until a server is connected · `head` until the final response head · `body` · `draining`: answered before the
 * request was complete · `failed`: an error page is due once the rest of the request that is here was looked at · `tunnel` · `over`.
 */

import { BodyReader } from '../../core/http1/body.ts';
import type { Head } from '../../core/http1/head.ts';
import { isConnect } from '../../core/http1/read-request.ts';
import { isBodyless, readResponse } from '../../core/http1/read-response.ts';
import { Output } from '../../core/http1/write.ts';
import { drainBytesMax, interimResponsesMax } from '../../core/limits.ts';
import { type ErrorStatus, errorPages, writePage } from '../error-pages.ts';
import type { StreamError } from '../ports.ts';
import { balanceHash } from './balance-key.ts';
import { type ResponseShape, writeRequestHead, writeResponseHead } from './forward-head.ts';
import type { HttpClient } from './http-client.ts';
import { writeLastChunk } from './last-chunk.ts';
import { fillSearch, type ReportKind, report } from './log-exchange.ts';
import { whole } from './record.ts';
import { Relay, type RelayOwner } from './relay.ts';
import { isHeadMethod, isIdempotent, isTrace, targetIs } from './request-facts.ts';
import type { ProxyContext, ServerRuntime } from './runtime.ts';
import { serverAddress } from './server-address.ts';
import { ServerConnection } from './server-connection.ts';
import { ServerSearch } from './server-search.ts';
import { acceptsUpgrade, requestedUpgrade } from './upgrade.ts';

type Phase = 'search' | 'head' | 'body' | 'draining' | 'failed' | 'tunnel' | 'over';

/** Pieces of body up to this size are copied behind what is written anyway; larger ones go out from where they are. */
const copyBytesMax = 4_096;

export class HttpExchange extends ServerSearch implements RelayOwner {
  readonly client: HttpClient;
  readonly requestBody = new BodyReader();
  readonly responseBody = new BodyReader();
  /** The request head as it goes to the server; its first line is what the log shows. */
  readonly #request = new Output(1_024);
  #lineLength = 0;
  #connection: ServerConnection | undefined;
  #phase: Phase = 'over';
  /** The server's stream, or the wait for a server, holds the request's body back. */
  requestBlocked = false;
  #responseBlocked = false;
  #isHead = false;
  #idempotent = false;
  #minor = 1;
  #keepClient = false;
  #keepServer = false;
  #upgrade: string | undefined;
  #chunkedOut = false;
  #reusedOnce = false;
  #bodySent = false;
  #responseStarted = false;
  #interims = 0;
  #drained = 0;
  #relay: Relay | undefined;
  // What the log tells.
  #headAt = 0;
  #responseMs = -1;
  #responseAt = 0;
  #status = -1;
  #bytesRead = 0;
  #interimBytes = 0;
  #bytesUploaded = 0;
  #cause = '-';
  #state = '-';
  #failStatus: ErrorStatus = 500;
  #logged = false;

  constructor(context: ProxyContext, client: HttpClient) {
    super(context);
    this.client = client;
  }

  // ---------------------------------------------------------------- the request

  begin(head: Head): void {
    const { client, context } = this;
    const { frontend } = client;
    const { backend } = frontend;
    this.resetSearch(backend);
    this.#phase = 'search';
    this.requestBlocked =
      this.#responseBlocked =
      this.#reusedOnce =
      this.#bodySent =
      this.#responseStarted =
      this.#logged =
        false;
    this.#interims = this.#drained = this.#bytesRead = this.#interimBytes = 0;
    this.#status = this.#responseMs = -1;
    this.#cause = this.#state = '-';
    this.#relay = undefined;
    this.#headAt = context.clock.now();
    this.#minor = head.minor;
    this.#isHead = isHeadMethod(head);
    this.#idempotent = isIdempotent(head);
    this.#bytesUploaded = head.logBytes();
    if (head.chunked) this.requestBody.begin('chunked', 0);
    else if (head.contentLength > 0) this.requestBody.begin('length', head.contentLength);
    else this.requestBody.begin('none', 0);
    this.#upgrade = this.requestBody.done ? requestedUpgrade(head) : undefined;

    const frontendMode = frontend.plan.connectionMode;
    const backendMode = backend?.plan.connectionMode ?? 'keep-alive';
    this.#keepClient =
      (head.minor > 0 ? !head.connectionClose : head.connectionKeepAlive) &&
      frontendMode !== 'close' &&
      backendMode !== 'close';
    this.#keepServer = frontendMode === 'keep-alive' && backendMode === 'keep-alive';
    const out = this.#request;
    out.length = 0;
    if (backend === undefined) {
      out.copy(head.buffer, head.lineStart, head.lineEnd);
      this.#lineLength = out.length;
      this.#phase = 'search';
    } else
      this.#lineLength = writeRequestHead(
        out,
        head,
        frontend,
        backend,
        this.#forwardsAddress() ? this.#clientHost() : '',
        this.#keepServer,
        this.#upgrade !== undefined,
      );
    if (!this.requestBody.done) client.armClient();
    if (frontend.monitorUri !== undefined && targetIs(head, frontend.monitorUri)) {
      this.#fail(200, 'L', 'R');
      return;
    }
    if (isConnect(head) || isTrace(head)) {
      this.#fail(405, 'P', 'R');
      return;
    }
    if (backend === undefined) {
      this.#fail(503, 'S', 'C');
      return;
    }
    this.balanceHash = this.#hash(head);
    this.findServer();
  }

  /** Takes what it can of the request's body. @returns the offset behind what was taken. */
  clientBytes(buffer: Uint8Array, start: number, end: number): number {
    const body = this.requestBody;
    if (this.#phase === 'tunnel') {
      if (start < end) this.#relay!.clientBytes(buffer, start, end);
      return end;
    }
    if (body.done || start >= end) return start;
    const discarding = this.#phase === 'failed' || this.#phase === 'draining';
    if (!discarding && (this.#connection === undefined || this.search !== 'connected' || this.requestBlocked))
      return start;
    let at = start;
    do {
      at = body.read(buffer, at, end);
      if (body.error !== undefined) return this.#badBody(end);
      const size = body.dataEnd - body.dataStart;
      this.#bytesUploaded += size;
      if (discarding) this.#drained += size;
      else if (!this.#sendBody(buffer, body.dataStart, body.dataEnd)) break;
    } while (at < end && !body.done);
    if (body.done) this.client.disarmClient();
    else if (this.requestBlocked) this.client.disarmClient();
    else this.client.armClient();
    if (this.#phase === 'draining' && (body.done || this.#drained > drainBytesMax)) {
      if (!body.done) this.#keepClient = false;
      this.#complete();
    }
    return at;
  }

  /** @returns false when the server's stream wants a pause. */
  #sendBody(buffer: Uint8Array, start: number, end: number): boolean {
    const { stream } = this.#connection!;
    const { out } = this.context;
    this.#bodySent = true;
    let go = true;
    if (this.requestBody.kind === 'length') go = stream.write(buffer, start, end);
    else {
      out.length = 0;
      if (start < end) {
        out.chunkSize(end - start);
        if (end - start <= copyBytesMax) out.copy(buffer, start, end);
        else {
          stream.write(out.bytes, 0, out.length);
          out.length = 0;
          stream.write(buffer, start, end);
        }
        out.crlf();
      }
      if (this.requestBody.done) {
        const size = writeLastChunk(out, this.context.trailers, this.requestBody);
        if (size < 0) {
          this.#badBody(end);
          return false;
        }
        this.#bytesUploaded += size;
      }
      if (out.length > 0) go = stream.write(out.bytes, 0, out.length);
    }
    this.#armServer();
    if (!go) this.requestBlocked = true;
    return go;
  }

  #badBody(end: number): number {
    this.#keepClient = false;
    this.context.stats.requestError(this.client.frontend.plan.index);
    if (this.#phase === 'failed') this.requestBody.done = true;
    else if (this.#phase === 'draining') this.#complete();
    else if (this.#responseStarted) this.#breakOff('C', 'D');
    else this.#fail(400, 'P', 'H');
    return end;
  }

  /** The client ended its side, and all that it sent was offered to us. A half-close is not an abort (manual 4.2 abortonclose). */
  clientEnded(): void {
    if (this.#phase === 'tunnel') {
      this.#relay!.clientEnded();
      return;
    }
    const starved = !this.requestBody.done && !this.requestBlocked;
    if (this.#phase === 'draining') {
      this.#keepClient = false;
      this.#complete();
      return;
    }
    if (starved && this.search === 'connected') {
      this.#clientAborted('D');
      return;
    }
    if (this.backend === undefined || !this.backend.plan.abortOnClose) return;
    if (this.search !== 'connected') this.#clientAborted(this.search === 'queued' ? 'Q' : 'C');
    else if (this.#phase === 'head' && this.requestBody.done) this.#clientAborted('H');
  }

  clientGone(error: StreamError | undefined): void {
    if (this.#phase === 'tunnel') {
      this.#relay!.clientClosed(error);
      return;
    }
    if (this.#phase === 'over') return;
    const state =
      this.search === 'queued'
        ? 'Q'
        : this.search !== 'connected'
          ? 'C'
          : this.#phase !== 'head' || !this.requestBody.done
            ? 'D'
            : 'H';
    this.#clientAborted(state);
  }

  #clientAborted(state: string): void {
    if (this.backend !== undefined) this.context.stats.clientAbort(this.backend.plan.index, this.server);
    this.#breakOff('C', state);
  }

  /** The client's deadline: a body that doesn't come, or an answer that nobody reads. */
  clientExpired(): void {
    if (this.#phase === 'draining') {
      this.#keepClient = false;
      this.#cause = 'c';
      this.#state = 'D';
      this.#complete();
    } else if (this.#responseStarted) this.#breakOff('c', 'D');
    else {
      this.#keepClient = false;
      this.#fail(408, 'c', 'D');
    }
    this.flush();
  }

  // ---------------------------------------------------------------- connecting

  protected open(): void {
    const { backend, context, client } = this;
    const server = backend!.servers[this.server]!;
    const pooled = this.#reusedOnce || !this.#keepServer ? undefined : this.#takeIdle();
    if (pooled !== undefined) {
      this.#connection = pooled;
      pooled.serve(this);
      context.stats.reused(backend!.plan.index, this.server);
      this.serverOpened();
      return;
    }
    const to = serverAddress(server.address, server.plan.portOffset, client.stream);
    if (to === undefined) {
      this.connectFailed(false);
      return;
    }
    context.stats.connectAttempt(backend!.plan.index, this.server);
    const connection = new ServerConnection(server, backend!.plan.reuse === 'never' ? client.ownIdle() : server.idle);
    this.#connection = connection;
    connection.serve(this);
    const from = server.plan.source ?? backend!.plan.source;
    const keepAlive = backend!.plan.serverKeepAlive;
    connection.stream = context.streams.connect(
      from === undefined ? { to, keepAlive } : { to, from, keepAlive },
      connection,
    );
    this.armConnect();
  }

  /** Manual 4.2 http-reuse: a client's first request may not bet on a connection whose death it could not survive unseen. */
  #takeIdle(): ServerConnection | undefined {
    const { reuse } = this.backend!.plan;
    const server = this.backend!.servers[this.server]!;
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

  serverOpened(): void {
    this.connected();
    if (this.#phase !== 'search') return;
    this.#phase = 'head';
    const { stream } = this.#connection!;
    this.requestBlocked = !stream.write(this.#request.bytes, 0, this.#request.length);
    this.#armServer();
    this.client.pump();
  }

  /** The connection could not be made. */
  serverRefused(_error: StreamError | undefined): void {
    this.#dropConnection();
    this.connectFailed(false);
    this.client.stream.flush();
  }

  protected connectTimedOut(): void {
    this.#dropConnection();
    this.connectFailed(true);
  }

  protected searchFailed(cause: 's' | 'S', state: 'C' | 'Q'): void {
    this.#fail(503, cause, state);
  }

  // ---------------------------------------------------------------- the response

  serverBytes(buffer: Uint8Array, start: number, end: number): void {
    if (this.#phase === 'head') this.#readHead(buffer, start, end);
    else if (this.#phase === 'body') this.#readBody(buffer, start, end, 0);
    else if (this.#phase === 'tunnel') this.#relay!.serverBytes(buffer, start, end);
  }

  #readHead(piece: Uint8Array, pieceStart: number, pieceEnd: number): void {
    const connection = this.#connection!;
    const { context } = this;
    const head = context.responseHead;
    let [buffer, start, end] = [piece, pieceStart, pieceEnd];
    if (connection.heldLength > 0) {
      const useful = connection.hold(piece, pieceStart, pieceEnd);
      if (!useful && connection.heldLength <= context.headBytesMax) return;
      [buffer, start, end] = [connection.held!, 0, connection.heldLength];
      connection.heldLength = 0;
    }
    this.#armServer();
    for (;;) {
      const after = readResponse(head, buffer, start, end, context.headBytesMax);
      if (after < 0) {
        this.#badResponse();
        return;
      }
      if (after === 0) {
        if (start < end) connection.hold(buffer.slice(start, end), 0, end - start);
        return;
      }
      if (head.status === 101) {
        this.#startTunnel(head, buffer, after, end);
        return;
      }
      if (head.status >= 200) {
        this.#startResponse(head, buffer, after, end);
        return;
      }
      if (++this.#interims > interimResponsesMax) {
        this.#badResponse();
        return;
      }
      this.#forwardInterim(head);
      start = after;
      if (start >= end) return;
    }
  }

  /** RFC 9110 §15.2: every interim response is passed on, but not to HTTP/1.0 clients, who don't know them. */
  #forwardInterim(head: Head): void {
    this.#interimBytes += head.logBytes();
    this.#bytesRead = this.#interimBytes;
    if (this.#minor === 0) return;
    const { out } = this.context;
    out.length = 0;
    shape.dropFraming = true;
    shape.dropEncoding = shape.upgrade = false;
    shape.keepClient = undefined;
    shape.clientMinor = this.#minor;
    writeResponseHead(out, head, shape);
    this.client.stream.write(out.bytes, 0, out.length);
  }

  #startResponse(head: Head, buffer: Uint8Array, start: number, end: number): void {
    const { context } = this;
    const now = context.clock.now();
    const bodyless = isBodyless(head.status, this.#isHead);
    this.#responseMs = now - this.connectedAt;
    this.#responseAt = now;
    this.#status = head.status;
    this.#bytesRead += head.logBytes();
    const persistent = head.minor > 0 ? !head.connectionClose : head.connectionKeepAlive;
    if (!persistent) this.#keepServer = false;
    this.#chunkedOut = false;
    if (bodyless) {
      this.responseBody.begin('none', 0);
      // A body announced where there can be none: what follows on this connection is anybody's guess.
      if (head.status === 204 && (head.chunked || head.contentLength > 0)) this.#keepServer = false;
    } else if (head.chunked) {
      this.responseBody.begin('chunked', 0);
      this.#chunkedOut = this.#minor > 0;
      if (!this.#chunkedOut) this.#keepClient = false;
    } else if (head.contentLength >= 0) this.responseBody.begin('length', head.contentLength);
    else {
      this.responseBody.begin('until-close', 0);
      this.#keepClient = this.#keepServer = false;
    }
    if (context.draining) this.#keepClient = false;
    const { out } = context;
    out.length = 0;
    shape.dropFraming = head.status === 204;
    shape.dropEncoding = head.chunked && this.#minor === 0;
    shape.upgrade = false;
    shape.keepClient = this.#keepClient;
    shape.clientMinor = this.#minor;
    writeResponseHead(out, head, shape);
    this.#phase = 'body';
    if (this.client.frontend.plan.log.logAsap) this.#logEarly();
    this.#readBody(buffer, start, end, out.length);
  }

  /** @param pending bytes of the context's output that go before the body. */
  #readBody(buffer: Uint8Array, start: number, end: number, pending: number): void {
    const { out } = this.context;
    const { stream } = this.client;
    const body = this.responseBody;
    out.length = pending;
    let at = start;
    let go = true;
    while (at < end && !body.done) {
      at = body.read(buffer, at, end);
      if (body.error !== undefined) break;
      const size = body.dataEnd - body.dataStart;
      if (size === 0) continue;
      this.#bytesRead += size;
      if (this.#chunkedOut) out.chunkSize(size);
      if (size <= copyBytesMax && out.length <= 4 * copyBytesMax) out.copy(buffer, body.dataStart, body.dataEnd);
      else {
        if (out.length > 0) stream.write(out.bytes, 0, out.length);
        out.length = 0;
        this.#responseStarted = true;
        go = stream.write(buffer, body.dataStart, body.dataEnd);
      }
      if (this.#chunkedOut) out.crlf();
    }
    if (body.done && this.#chunkedOut) {
      const size = writeLastChunk(out, this.context.trailers, body);
      if (size < 0) body.error = 'trailer';
      else this.#bytesRead += size;
    } else if (body.done && body.kind === 'chunked') this.#bytesRead++;
    if (body.error !== undefined && !this.#responseStarted) {
      this.#badResponse();
      return;
    }
    if (out.length > 0) go = stream.write(out.bytes, 0, out.length);
    this.#responseStarted = true;
    if (body.error !== undefined) {
      this.#serverBroke('P');
      return;
    }
    if (body.done) {
      this.#responseOver(at < end);
      return;
    }
    if (go) this.#armServer();
    else this.#holdServer();
  }

  #holdServer(): void {
    this.#responseBlocked = true;
    this.#connection!.stream.pause();
    this.context.wheel.disarm(this.timer);
    this.client.armClient();
  }

  clientDrained(): void {
    if (this.#phase === 'tunnel') {
      this.#relay!.clientDrained();
      return;
    }
    if (!this.#responseBlocked) return;
    this.#responseBlocked = false;
    if (this.requestBody.done) this.client.disarmClient();
    this.#connection?.stream.resume();
    if (this.search === 'connected') this.#armServer();
  }

  serverDrained(): void {
    if (this.#phase === 'tunnel') {
      this.#relay!.serverDrained();
      return;
    }
    if (!this.requestBlocked) return;
    this.requestBlocked = false;
    if (!this.requestBody.done) this.client.armClient();
    this.#armServer();
    this.client.pump();
  }

  /** The server ended its side, or the connection died. */
  serverEnded(error: StreamError | undefined): void {
    if (this.#phase === 'tunnel') {
      if (error === undefined) this.#relay!.serverEnded();
      else this.#relay!.serverClosed(error);
      return;
    }
    this.#keepServer = false;
    if (this.#phase === 'head') {
      this.#lostBeforeAnswer();
      return;
    }
    if (this.#phase !== 'body') {
      this.#dropConnection();
      return;
    }
    if (this.responseBody.kind === 'until-close' && error === undefined) {
      this.#responseOver(false);
      return;
    }
    this.#serverBroke('S');
  }

  /**
   * Nothing of an answer came. A pooled connection that the server closed while we sent is the ordinary race of keep-alive: the request
   * goes out again on a new connection when RFC 9110 §9.2.2 allows; otherwise the client is told nothing, so that it may decide itself.
   */
  #lostBeforeAnswer(): void {
    const connection = this.#connection!;
    const untouched = connection.heldLength === 0 && this.#interims === 0;
    const reused = connection.exchanges > 1;
    this.#dropConnection();
    if (reused && untouched && !this.#reusedOnce) {
      this.#reusedOnce = true;
      if (this.#idempotent && !this.#bodySent) {
        this.#phase = 'search';
        this.reconnect();
        return;
      }
      this.#serverFault();
      this.#keepClient = false;
      this.#breakOff('S', 'H');
      return;
    }
    this.#serverFault();
    this.#fail(502, 'S', 'H');
    this.client.stream.flush();
  }

  #badResponse(): void {
    this.#serverFault();
    this.#keepServer = false;
    if (this.#responseStarted) {
      this.#serverBroke('P');
      return;
    }
    this.#responseMs = -1;
    this.#bytesRead = this.#interimBytes;
    this.#fail(502, 'P', 'H');
  }

  /** The answer breaks off in its middle: the client must not take it for whole (RFC 9112 §8). */
  #serverBroke(cause: string): void {
    if (this.backend !== undefined) this.context.stats.serverAbort(this.backend.plan.index, this.server);
    const delimited = this.responseBody.kind === 'length' || this.#chunkedOut;
    this.#keepClient = false;
    if (!delimited) {
      this.#breakOff(cause, 'D');
      return;
    }
    this.#cause = cause;
    this.#state = 'D';
    this.#complete();
  }

  #serverFault(): void {
    this.context.stats.responseError(this.backend!.plan.index, this.server);
  }

  protected serverExpired(): void {
    if (this.#phase === 'head') {
      this.#serverFault();
      this.#fail(504, 's', 'H');
    } else if (this.#phase === 'body') this.#serverBroke('s');
  }

  #responseOver(surplus: boolean): void {
    if (surplus) this.#keepServer = false;
    this.context.wheel.disarm(this.timer);
    if (this.requestBody.done) {
      this.#complete();
      return;
    }
    // Answered before the request was complete: the rest goes nowhere (RFC 9112 §9.3, §9.6).
    this.#dropConnection();
    this.releaseServer();
    this.#phase = 'draining';
    this.requestBlocked = false;
    this.client.armClient();
    this.client.pump();
  }

  // ---------------------------------------------------------------- tunnels

  #startTunnel(head: Head, buffer: Uint8Array, start: number, end: number): void {
    const { context, client } = this;
    // RFC 9110 §7.8: a server switches only to what was asked for.
    if (this.#upgrade === undefined || this.#minor === 0 || !acceptsUpgrade(head, this.#upgrade)) {
      this.#badResponse();
      return;
    }
    this.#status = 101;
    this.#responseAt = context.clock.now();
    this.#responseMs = this.#responseAt - this.connectedAt;
    this.#bytesRead += head.logBytes();
    const { out } = context;
    out.length = 0;
    shape.dropFraming = shape.upgrade = true;
    shape.dropEncoding = false;
    shape.keepClient = undefined;
    shape.clientMinor = this.#minor;
    writeResponseHead(out, head, shape);
    client.stream.write(out.bytes, 0, out.length);
    this.#responseStarted = true;
    this.#keepClient = this.#keepServer = false;
    this.#phase = 'tunnel';
    context.wheel.disarm(this.timer);
    client.disarmClient();
    const server = this.#connection!.stream;
    this.#relay = new Relay(
      context,
      this,
      client.stream,
      server,
      client.frontend.plan.timeouts,
      this.backend!.plan.timeouts,
    );
    if (start < end) this.#relay.serverBytes(buffer, start, end);
    client.pump();
  }

  relayOver(relay: Relay, cause: string, state: string): void {
    this.#bytesRead += relay.bytesDown;
    this.#bytesUploaded += relay.bytesUp;
    // HAProxy blames the server's side for an idle tunnel of HTTP.
    this.#cause = relay.idle ? 's' : cause;
    this.#state = state;
    this.#complete();
  }

  // ---------------------------------------------------------------- endings

  /** An error page is due. It is written by `settle`, when it is known whether the whole request is here. */
  #fail(status: ErrorStatus, cause: string, state: string): void {
    this.#dropConnection();
    this.releaseServer();
    this.#phase = 'failed';
    this.#failStatus = status;
    this.#cause = cause;
    this.#state = state;
    this.requestBlocked = false;
    this.client.pump();
  }

  /** Writes the page that is due. Returns true when the exchange is over and the next request can be read. */
  settle(): boolean {
    if (this.#phase !== 'failed') return this.#phase === 'over';
    const { client, context } = this;
    const status = this.#failStatus;
    const file = this.backend?.plan.errorFiles.get(status) ?? client.frontend.plan.errorFiles.get(status);
    const { out } = context;
    out.length = 0;
    this.#status = status;
    if (file !== undefined) {
      this.#keepClient = false;
      out.append(file);
      this.#bytesRead = file.length;
    } else {
      if (!this.requestBody.done || context.draining) this.#keepClient = false;
      this.#bytesRead += writePage(out, errorPages.get(status)!, this.#keepClient, this.#minor, this.#isHead);
    }
    client.stream.write(out.bytes, 0, out.length);
    this.#complete();
    return true;
  }

  /** The client can't be given a correct end any more. */
  #breakOff(cause: string, state: string): void {
    this.#cause = cause;
    this.#state = state;
    this.#dropConnection();
    this.#finish();
    this.client.breakOff(this.#responseStarted);
    this.client.exchangeOver(this, false);
  }

  #complete(): void {
    this.#finish();
    this.client.exchangeOver(this, this.#keepClient);
  }

  /** `option logasap`: the line is written when the answer begins (manual 4.2). */
  #logEarly(): void {
    this.#logged = true;
    this.context.record.serverStream = this.#connection?.stream;
    this.#report('asap');
  }

  /** Parts with the server, gives the slot back, counts and logs. */
  #finish(): void {
    const { context, client } = this;
    const { record } = context;
    this.#phase = 'over';
    context.wheel.disarm(this.timer);
    const connection = this.#connection;
    record.serverStream = connection?.stream;
    if (connection !== undefined) {
      this.#connection = undefined;
      if (this.#keepServer && this.requestBody.done && this.responseBody.done && !context.stopping) connection.rest();
      else connection.discard();
    }
    this.releaseServer();
    client.disarmClient();
    this.#report(this.#logged ? 'end-logged-before' : 'end');
  }

  #report(kind: ReportKind): void {
    const { context, client } = this;
    const { record } = context;
    const now = context.clock.now();
    const { firstByteAt, baseAt } = client;
    fillSearch(record, this);
    record.client = client.stream;
    record.frontendName = client.frontend.plan.name;
    record.backendName = this.backend?.plan.name ?? client.frontend.plan.name;
    record.acceptedWallMs = client.baseWall;
    record.requestWallMs = client.baseWall + (firstByteAt - baseAt);
    record.handshakeMs = 0;
    record.idleMs = whole(firstByteAt - baseAt);
    record.requestMs = this.backend === undefined ? -1 : whole(this.#headAt - firstByteAt);
    record.responseMs = whole(this.#responseMs);
    record.dataMs = this.#responseMs < 0 ? -1 : whole(now - this.#responseAt);
    record.activeMs = whole(now - firstByteAt);
    record.totalMs = whole(now - baseAt);
    record.status = this.#status;
    record.bytesRead = this.#bytesRead;
    record.bytesUploaded = this.#bytesUploaded;
    record.terminationCause = this.#cause;
    record.terminationState = this.#state;
    record.requestBytes = this.#request.bytes;
    record.requestStart = 0;
    record.requestEnd = this.#lineLength;
    record.requestCounter = client.requests;
    const backend = this.backend?.plan.index ?? -1;
    report(context, client.frontend.plan.index, backend, this.server, record, true, kind);
  }

  /** Ends the connection to the server; what it was doing is of no use any more. */
  #dropConnection(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.context.wheel.disarm(this.timer);
    connection.discard();
  }

  /** `on-marked-down shutdown-sessions`, or the end of a grace period. */
  shutdown(): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'tunnel') this.#relay!.abort('K', 'D');
    else if (this.#responseStarted) this.#breakOff('K', 'D');
    else this.#fail(503, 'K', this.search === 'connected' ? 'H' : 'C');
    this.flush();
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  /** The client is gone and this object is not used again. */
  dispose(): void {
    this.context.wheel.remove(this.timer);
  }

  protected flush(): void {
    this.client.stream.flush();
    this.#connection?.stream.flush();
  }

  // ---------------------------------------------------------------- small facts

  #armServer(): void {
    const { server } = this.backend!.plan.timeouts;
    if (server > 0) this.context.wheel.arm(this.timer, this.context.clock.now() + server);
  }

  #forwardsAddress(): boolean {
    return this.backend!.forwardForName !== undefined || this.client.frontend.forwardForName !== undefined;
  }

  #clientHost(): string {
    const address = this.client.stream.remoteAddress();
    return address.family === 'unix' ? '' : address.host;
  }

  #hash(head: Head): number {
    const { balance } = this.backend!.plan;
    const { algorithm } = balance;
    if (algorithm !== 'source' && algorithm !== 'uri' && algorithm !== 'hdr') return -1;
    return balanceHash(balance, this.backend!.balanceField, head, this.client.stream.remoteAddress());
  }
}

const shape: ResponseShape = {
  dropFraming: false,
  dropEncoding: false,
  upgrade: false,
  keepClient: false,
  clientMinor: 1,
};
