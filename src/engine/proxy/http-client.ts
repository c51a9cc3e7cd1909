/**
 * A client's connection in HTTP mode: reads one request after the other, holds back what can't be used yet, and gives each request
 * to an exchange. Requests are answered in the order they came (RFC 9112 §9.3.2): the next head is read when the exchange is over.
 */
import type { MessageError } from '../../core/http1/head.ts';
import { readRequest } from '../../core/http1/read-request.ts';
import { lingerBytesMax, lingerMs, retireIdleMs } from '../../core/limits.ts';
import { type ErrorStatus, errorPages } from '../error-pages.ts';
import type { Stream, StreamError, StreamHandler } from '../ports/streams.ts';
import { Timer, type TimerOwner } from '../timer-wheel.ts';
import { forwardedForLine } from './forward-head.ts';
import { HeldBytes } from './held-bytes.ts';
import { HttpExchange } from './http-exchange.ts';
import { IdlePool } from './idle-pool.ts';
import { fillUnread } from './log-exchange.ts';
import type { FrontendRuntime, ProxyClient, ProxyContext } from './runtime.ts';

/** first: nothing came yet · idle: between two requests · head: inside a head · lingering: answered, waits for the client's FIN. */
type ClientState = 'first' | 'idle' | 'head' | 'exchange' | 'lingering' | 'closing' | 'gone';

export class HttpClient implements StreamHandler, TimerOwner, ProxyClient {
  readonly context: ProxyContext;
  readonly frontend: FrontendRuntime;
  readonly stream: Stream;
  /** Number of the listener, for the log. */
  readonly listener: number;
  readonly timer = new Timer(this);
  state: ClientState = 'first';
  exchange: HttpExchange | undefined;
  requests = 0;
  peerEnded = false;
  /** Where the current request's clock starts: accept, or the end of the previous exchange. */
  baseAt: number;
  baseWall: number;
  firstByteAt = 0;
  readonly #held = new HeldBytes();
  #pumping = false;
  #paused = false;
  #dropped = 0;
  /** What waited to be sent when the last time for it began. */
  #unsentBytes = 0;
  #ownIdle: IdlePool | undefined;
  #forwardedForLine: Uint8Array | undefined;

  constructor(context: ProxyContext, frontend: FrontendRuntime, stream: Stream, listener: number) {
    this.context = context;
    this.frontend = frontend;
    this.stream = stream;
    this.listener = listener;
    // Asked now, because the kernel has forgotten it once the client resets the connection, and the log wants it then.
    stream.remoteAddress();
    this.baseAt = context.clock.now();
    this.baseWall = context.clock.wall();
    const { timeouts } = frontend.plan;
    this.#arm(timeouts.httpRequest || timeouts.client);
  }

  // ---------------------------------------------------------------- from the stream

  opened(): void {}

  received(buffer: Uint8Array, start: number, end: number): void {
    if (this.state === 'lingering') {
      this.#dropped += end - start;
      if (this.#dropped > lingerBytesMax) this.#end();
      return;
    }
    if (this.#held.length === 0) {
      this.#pump(buffer, start, end);
      return;
    }
    const useful = this.#held.append(buffer, start, end);
    if (this.state !== 'head' || useful) {
      this.pump();
      return;
    }
    // A head that grows without line ends needs no reading again, only its limit and its timeout.
    if (this.#held.length > this.context.headBytesMax) {
      this.pump();
      return;
    }
    this.#headGrew();
  }

  relayed(bytes: number): void {
    this.exchange?.clientRelayed(bytes);
  }

  drained(): void {
    this.exchange?.clientDrained();
  }

  ended(): void {
    this.peerEnded = true;
    switch (this.state) {
      case 'first':
        // HAProxy answers even this; `option http-ignore-probes` and `dontlognull` are there for those who mind.
        if (this.frontend.plan.ignoreProbes) {
          this.#end();
          return;
        }
        this.#refuse(400, 'C');
        return;
      case 'idle':
        this.#end();
        return;
      case 'head':
        this.#refuse(400, 'C');
        return;
      case 'exchange':
        if (this.exchange!.isTunnel) {
          this.exchange!.clientEnded();
          return;
        }
        this.pump();
        return;
      case 'lingering':
        this.#end();
        return;
    }
  }

  closed(error: StreamError | undefined): void {
    const { state } = this;
    if (state === 'gone') return;
    this.state = 'gone';
    this.context.wheel.remove(this.timer);
    if (state === 'exchange') this.exchange!.clientGone(error);
    else if (state === 'first' || state === 'head') this.#logUnread(400, 'C');
    this.#ownIdle?.clear();
    this.context.stats.closeConnection(this.frontend.plan.index);
    this.frontend.connectionClosed(this);
  }

  expired(): void {
    switch (this.state) {
      case 'first':
        if (this.frontend.plan.ignoreProbes) this.#end();
        else this.#refuse(408, 'c');
        break;
      case 'idle':
        this.#end();
        break;
      case 'head':
        this.#refuse(408, 'c');
        break;
      case 'exchange':
        this.exchange!.clientExpired();
        break;
      default:
        this.#lastExpired();
        return;
    }
    this.stream.flush();
  }

  /** The time for what waits to be sent at the end is over. A client that goes on reading has it anew. */
  #lastExpired(): void {
    if (this.stream.unsentBytes >= this.#unsentBytes) this.stream.reset();
    else this.#armLast();
  }

  // ---------------------------------------------------------------- from the exchange

  /** Offers again what is held back: the exchange can take more, or is over. */
  pump(): void {
    if (!this.#pumping) this.#pump(this.#held.bytes, this.#held.start, this.#held.end);
  }

  /** @param keep the connection goes on; otherwise the client is given time to read the answer. */
  exchangeOver(exchange: HttpExchange, keep: boolean): void {
    this.exchange = undefined;
    this.context.idleExchanges.give(exchange);
    if (this.state !== 'exchange') return;
    if (!keep) {
      this.finish(exchange.request.body.done);
      return;
    }
    this.state = 'idle';
    this.baseAt = this.context.clock.now();
    this.baseWall = this.context.clock.wall();
    const { timeouts } = this.frontend.plan;
    // Manual 4.2 timeout http-keep-alive: falls back to http-request, then to client.
    this.#arm(timeouts.httpKeepAlive || timeouts.httpRequest || timeouts.client);
    this.pump();
  }

  /** Ends the connection after what was written. @param clean nothing more is expected from the client. */
  finish(clean: boolean): void {
    if (this.peerEnded || (clean && this.#held.length === 0)) {
      this.#end();
      return;
    }
    this.#linger();
  }

  /**
   * Ends the connection without a (complete) answer.
   * @param answering a part of an answer has left: only a reset tells the client for sure that the rest will not come.
   */
  breakOff(answering: boolean): void {
    if (this.state === 'gone') return;
    if (answering) {
      this.state = 'closing';
      this.stream.reset();
    } else this.#end();
  }

  /** The server connection that serves this client only (`http-reuse never`). */
  ownIdle(): IdlePool {
    this.#ownIdle ??= new IdlePool(1);
    return this.#ownIdle;
  }

  /** See forward-head.ts; the same for all requests of a connection. */
  forwardedForLine(): Uint8Array {
    this.#forwardedForLine ??= forwardedForLine(this.frontend, this.stream.remoteAddress());
    return this.#forwardedForLine;
  }

  armClient(): void {
    this.#arm(this.frontend.plan.timeouts.client);
  }

  disarmClient(): void {
    this.context.wheel.disarm(this.timer);
  }

  /** A connection that waits for its next request may bring it for a little longer; others end after their exchange. */
  retire(): void {
    if (this.state !== 'idle') return;
    const latest = this.context.clock.now() + retireIdleMs;
    if (latest < this.timer.deadline) this.context.wheel.arm(this.timer, latest);
  }

  shutdown(backend: number, server: number): void {
    const { exchange } = this;
    if (exchange === undefined) {
      if (server < 0 && this.state !== 'gone') this.stream.reset();
    } else if (server < 0 || (exchange.server === server && exchange.backend?.plan.index === backend))
      exchange.shutdown(server >= 0);
  }

  // ---------------------------------------------------------------- reading

  #pump(buffer: Uint8Array, start: number, end: number): void {
    this.#pumping = true;
    let at = start;
    for (;;) {
      const { state } = this;
      if (state === 'exchange') {
        const exchange = this.exchange!;
        at = exchange.clientBytes(buffer, at, end);
        if (exchange.settle()) continue;
        if (this.exchange === exchange) break;
      } else if (state === 'first' || state === 'idle' || state === 'head') {
        if (at >= end) break;
        const next = this.#readHead(buffer, at, end);
        if (next === 0) break;
        at = next;
      } else {
        at = end;
        break;
      }
    }
    this.#pumping = false;
    if (this.state === 'gone') return;
    this.#held.keep(buffer, at, end);
    this.#held.trim(this.state !== 'exchange');
    if (this.peerEnded) {
      this.#inputEnded();
      return;
    }
    const blocked = this.state === 'exchange' && (this.#held.length > 0 || this.exchange!.request.blocked);
    if (blocked === this.#paused) return;
    this.#paused = blocked;
    if (blocked) this.stream.pause();
    else this.stream.resume();
  }

  /** All that the client ever sends is here; what of it could be used has been. */
  #inputEnded(): void {
    if (this.state === 'idle') this.#end();
    else if (this.state === 'head') this.#refuse(400, 'C');
    else if (this.state === 'exchange') this.exchange!.clientEnded();
  }

  /** @returns the offset behind the head, 0 when more bytes are needed. */
  #readHead(buffer: Uint8Array, start: number, end: number): number {
    const { context } = this;
    if (this.state !== 'head') {
      this.firstByteAt = context.clock.now();
      const { timeouts } = this.frontend.plan;
      // The first request's time runs from accept, a later one's from its first byte.
      if (this.state === 'idle') this.#arm(timeouts.httpRequest || timeouts.client);
      this.state = 'head';
    }
    const head = context.requestHead;
    let after = readRequest(head, buffer, start, end, context.headBytesMax);
    if (after > 0 && head.chunked) {
      const error = this.#lookAhead(buffer, after, end);
      if (error !== undefined) after = head.fail(error, after);
    }
    if (after === 0) this.#headGrew();
    else if (after < 0) this.#refuse(statusOf(head.error!), 'P', head.error);
    if (after <= 0) return after < 0 ? end : 0;

    this.state = 'exchange';
    this.requests++;
    context.wheel.disarm(this.timer);
    context.stats.request(this.frontend.plan.index);
    const exchange = context.idleExchanges.take() ?? new HttpExchange(context);
    this.exchange = exchange;
    exchange.begin(this, head);
    return after;
  }

  /** A body whose beginning is here and is nonsense reaches no server, as with HAProxy. */
  #lookAhead(buffer: Uint8Array, start: number, end: number): MessageError | undefined {
    const { lookahead } = this.context;
    lookahead.begin('chunked', 0);
    for (let at = start; at < end && !lookahead.done && lookahead.error === undefined; )
      at = lookahead.read(buffer, at, end);
    return lookahead.error;
  }

  #headGrew(): void {
    const { timeouts } = this.frontend.plan;
    // Without timeout http-request the plain client timeout counts from byte to byte (manual 4.2 timeout http-request).
    if (timeouts.httpRequest === 0) this.#arm(timeouts.client);
  }

  // ---------------------------------------------------------------- endings

  /** Answers what could not be read, and closes. @param cause P: malformed · C: broken off · c: too late. */
  #refuse(status: ErrorStatus, cause: 'P' | 'C' | 'c', reason?: MessageError): void {
    this.context.stats.requestError(this.frontend.plan.index, reason);
    const page = this.frontend.plan.errorFiles.get(status) ?? errorPages.get(status)!.raw;
    this.stream.write(page, 0, page.length);
    this.#logUnread(status, cause);
    this.#linger();
  }

  #logUnread(status: number, cause: string): void {
    fillUnread(this, status, cause);
  }

  /** RFC 9112 §9.6: closing with unread bytes would reset the connection and may destroy the answer on its way. */
  #linger(): void {
    if (this.peerEnded) {
      this.#end();
      return;
    }
    this.state = 'lingering';
    this.#dropped = 0;
    this.stream.shutdown();
    if (this.#paused) this.stream.resume();
    this.#paused = false;
    this.#unsentBytes = this.stream.unsentBytes;
    this.#arm(lingerMs);
  }

  #end(): void {
    this.state = 'closing';
    if (this.frontend.plan.nolinger && this.stream.unsentBytes === 0) {
      this.stream.reset();
      return;
    }
    this.stream.close();
    // A client that reads nothing must not keep the rest of its answer in memory for ever.
    this.#armLast();
  }

  #armLast(): void {
    this.#unsentBytes = this.stream.unsentBytes;
    const { timeouts } = this.frontend.plan;
    this.#arm((this.#unsentBytes > 0 && (timeouts.clientFin || timeouts.client)) || lingerMs);
  }

  #arm(ms: number): void {
    if (ms > 0) this.context.wheel.arm(this.timer, this.context.clock.now() + ms);
    else this.context.wheel.disarm(this.timer);
  }
}

function statusOf(error: MessageError): ErrorStatus {
  switch (error) {
    case 'target-too-long':
      return 414;
    case 'too-long':
    case 'fields':
      return 431;
    case 'transfer-coding':
      return 422;
    default:
      return 400;
  }
}
