/**
 * One request and its answer: the state machine between the two sides. The request's side is fed by HttpClient, the response's by
 * ServerConnection; bodies pass through as they come, held back on the one side when the other can't take more.
 * When it is over the object serves another request, of any client: an idle connection has none.
 *
 * Phases: `search` until a server is connected · `head` until the final response head · `body` · `draining`: answered before the
 * request was complete · `failed`: an error page is due once the rest of the request that is here was looked at · `tunnel` · `over`.
 */
import type { Head } from '../../core/http1/head.ts';
import { isConnect } from '../../core/http1/read-request.ts';
import { drainBytesMax } from '../../core/limits.ts';
import type { ErrorStatus } from '../error-pages.ts';
import type { StreamError } from '../ports/streams.ts';
import type { HttpClient } from './http-client.ts';
import { Relay, type RelayOwner } from './relay.ts';
import { isTrace, targetIs } from './request-facts.ts';
import { requestHash } from './request-hash.ts';
import type { ResponseResult } from './response-side.ts';
import { ServerLeg } from './server-leg.ts';

type Phase = 'search' | 'head' | 'body' | 'draining' | 'failed' | 'tunnel' | 'over';

export class HttpExchange extends ServerLeg implements RelayOwner {
  #phase: Phase = 'over';
  #responseBlocked = false;
  #relay: Relay | undefined;
  #failStatus: ErrorStatus = 500;

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  begin(client: HttpClient, head: Head): void {
    const { context } = this;
    this.client = client;
    const { frontend } = client;
    const { backend } = frontend;
    this.resetLeg(backend);
    this.#phase = 'search';
    this.#responseBlocked = false;
    this.#relay = undefined;
    this.report.begin(context.clock.now(), head.logBytes());

    const frontendMode = frontend.plan.connectionMode;
    const backendMode = backend?.plan.connectionMode ?? 'keep-alive';
    const keepServer = frontendMode === 'keep-alive' && backendMode === 'keep-alive';
    const asksToKeep = head.minor > 0 ? !head.connectionClose : head.connectionKeepAlive;
    this.response.begin(client, asksToKeep && frontendMode !== 'close' && backendMode !== 'close', keepServer);
    this.request.begin(head, client, backend, keepServer);
    if (frontend.logMoment === 'begin') this.logEarly();

    if (!this.request.body.done) client.armClient();
    if (frontend.monitorUri !== undefined && targetIs(head, frontend.monitorUri)) {
      // Manual 4.2 monitor-uri: not logged.
      this.report.logged = true;
      this.#fail(200, 'L', 'R');
    } else if (isConnect(head) || isTrace(head)) this.#fail(405, 'P', 'R');
    else if (backend === undefined) this.#fail(503, 'S', 'C');
    else {
      this.balanceHash = requestHash(backend, head, client.stream);
      this.findServer();
    }
  }

  /** Takes what it can of the request's body. @returns the offset behind what was taken. */
  clientBytes(buffer: Uint8Array, start: number, end: number): number {
    const { request, client } = this;
    const { body } = request;
    if (this.#phase === 'tunnel') {
      if (start < end) this.#relay!.clientBytes(buffer, start, end);
      return end;
    }
    if (body.done || start >= end) return start;
    const discarding = this.#phase === 'failed' || this.#phase === 'draining';
    if (!discarding && (this.search !== 'connected' || request.blocked)) return start;
    let at = start;
    do {
      at = body.read(buffer, at, end);
      if (body.error !== undefined) return this.#badBody(end);
      const size = body.dataEnd - body.dataStart;
      this.report.bytesUploaded += size;
      if (discarding) request.dropped += size;
      else if (request.sendBody(this.context, this.connection!.stream, buffer, this.report) === 'bad')
        return this.#badBody(end);
      else this.armServer();
    } while (at < end && !body.done && !request.blocked);
    if (body.done || request.blocked) client.disarmClient();
    else client.armClient();
    if (!discarding && !request.blocked) this.relayRequest();
    if (this.#phase === 'draining' && (body.done || request.dropped > drainBytesMax)) {
      if (!body.done) this.response.keepClient = false;
      this.#complete();
    }
    return at;
  }

  #badBody(end: number): number {
    this.response.keepClient = false;
    this.context.stats.requestError(this.client.frontend.plan.index, this.request.body.error);
    if (this.#phase === 'failed') this.request.body.done = true;
    else if (this.#phase === 'draining') this.#complete();
    else if (this.response.started) this.#breakOff('C', 'D');
    else this.#fail(400, 'P', 'H');
    return end;
  }

  /** The client ended its side, and all that it sent was offered to us. A half-close is not an abort (manual 4.2 abortonclose). */
  clientEnded(): void {
    const { body, blocked } = this.request;
    if (this.#phase === 'tunnel') this.#relay!.clientEnded();
    else if (this.#phase === 'draining') this.#endDraining('C');
    else if (this.search === 'connected' && !body.done && !blocked) this.#clientAborted('D');
    else if (this.backend?.plan.abortOnClose !== true) return;
    else if (this.search === 'queued') this.#clientAborted('Q');
    else if (this.search !== 'connected') this.#clientAborted('C');
    else if (this.#phase === 'head' && body.done) {
      this.context.stats.clientAbort(this.backend.plan.index, this.server);
      this.response.keepClient = false;
      this.#fail(400, 'C', 'H');
    }
  }

  clientGone(error: StreamError | undefined): void {
    if (this.#phase === 'tunnel') this.#relay!.clientClosed(error);
    else if (this.#phase === 'over') return;
    else if (this.search === 'queued') this.#clientAborted('Q');
    else if (this.#phase === 'search') this.#clientAborted('C');
    else this.#clientAborted(this.#phase === 'head' && this.request.body.done ? 'H' : 'D');
  }

  #clientAborted(state: string): void {
    if (this.backend !== undefined) this.context.stats.clientAbort(this.backend.plan.index, this.server);
    this.#breakOff('C', state);
  }

  /** The client's deadline: a body that doesn't come, or an answer that nobody reads. */
  clientExpired(): void {
    if (this.#phase === 'draining') this.#endDraining('c');
    else if (this.response.started) this.#breakOff('c', 'D');
    else {
      this.response.keepClient = false;
      this.#fail(408, 'c', 'D');
    }
    this.flush();
  }

  /** The request's rest will not come, and its answer has left. */
  #endDraining(cause: string): void {
    this.response.keepClient = false;
    this.report.ends(cause, 'D');
    this.#complete();
  }

  // ---------------------------------------------------------------- connecting

  serverOpened(): void {
    this.connected();
    if (this.#phase !== 'search') return;
    this.#phase = 'head';
    this.request.blocked = !this.request.sendHead(this.connection!.stream);
    this.armServer();
    this.client.pump();
  }

  protected searchFailed(cause: 's' | 'S', state: 'C' | 'Q'): void {
    this.#fail(503, cause, state);
  }

  // ---------------------------------------------------------------- the response

  serverBytes(buffer: Uint8Array, start: number, end: number): void {
    if (this.#phase === 'body') this.#advance(this.response.readBody(buffer, start, end, 0, start));
    else if (this.#phase === 'tunnel') this.#relay!.serverBytes(buffer, start, end);
    else if (this.#phase === 'head') {
      this.armServer();
      this.#advance(this.response.readHead(this.connection!, buffer, start, end));
    }
  }

  responseBegins(): void {
    this.#phase = 'body';
    if (this.client.frontend.logMoment === 'head') this.logEarly();
  }

  #advance(result: ResponseResult): void {
    switch (result) {
      case 'more':
        this.armServer();
        this.relayResponse();
        return;
      case 'blocked':
        this.#responseBlocked = true;
        this.connection!.stream.pause();
        this.context.wheel.disarm(this.timer);
        this.client.armClient();
        return;
      case 'surplus':
        // Nobody asked for more: what it is, and for whom, can't be known.
        this.response.keepServer = false;
        this.#responseOver();
        return;
      case 'done':
        this.#responseOver();
        return;
      case 'switch':
        this.#startTunnel();
        return;
      case 'bad':
        this.#badResponse();
    }
  }

  clientRelayed(bytes: number): void {
    if (this.#phase === 'tunnel') this.#relay!.clientRelayed(bytes);
    else if (this.#phase === 'head' || this.#phase === 'body') this.requestRelayed(bytes);
  }

  serverRelayed(bytes: number): void {
    if (this.#phase === 'tunnel') this.#relay!.serverRelayed(bytes);
    // Progress of what an exchange before this one left behind is no affair of this one's.
    else if (this.#phase === 'body' && this.responseRelayed(bytes)) this.#responseOver();
  }

  clientDrained(): void {
    if (this.#phase === 'tunnel') this.#relay!.clientDrained();
    if (this.#phase === 'tunnel' || !this.#responseBlocked) return;
    this.#responseBlocked = false;
    if (this.request.body.done) this.client.disarmClient();
    this.connection?.stream.resume();
    if (this.search === 'connected') this.armServer();
  }

  serverDrained(): void {
    if (this.#phase === 'tunnel') this.#relay!.serverDrained();
    if (this.#phase === 'tunnel' || !this.request.blocked) return;
    this.request.blocked = false;
    if (!this.request.body.done) this.client.armClient();
    this.armServer();
    this.client.pump();
  }

  serverEnded(error: StreamError | undefined): void {
    if (this.#phase === 'tunnel') {
      if (error === undefined) this.#relay!.serverEnded();
      else this.#relay!.serverClosed(error);
    } else if (this.#phase === 'head') this.#lostBeforeAnswer();
    else {
      this.response.keepServer = false;
      if (this.#phase !== 'body') this.dropConnection();
      else if (this.response.body.kind === 'until-close' && error === undefined) this.#responseOver();
      else this.#serverBroke('S');
    }
  }

  #lostBeforeAnswer(): void {
    this.#phase = 'search';
    const outcome = this.recover();
    if (outcome === 'goes-on') return;
    if (outcome === 'raced') {
      // Told nothing, the client may decide itself whether to send again.
      this.response.keepClient = false;
      this.#breakOff('S', 'H');
    } else this.#fail(502, 'S', 'H');
    this.client.stream.flush();
  }

  #badResponse(): void {
    this.response.keepServer = false;
    this.serverFault();
    if (this.response.started) {
      this.#serverBroke('P');
      return;
    }
    this.report.responseRefused();
    this.#fail(502, 'P', 'H');
  }

  /** The answer breaks off in its middle: the client must not take it for whole (RFC 9112 §8). */
  #serverBroke(cause: string): void {
    if (this.backend !== undefined) this.context.stats.serverAbort(this.backend.plan.index, this.server);
    this.response.keepClient = this.response.keepServer = false;
    if (!this.response.isDelimited) {
      this.#breakOff(cause, 'D');
      return;
    }
    this.report.ends(cause, 'D');
    this.#complete();
  }

  protected serverExpired(): void {
    if (this.#phase === 'head') {
      this.serverFault();
      this.#fail(504, 's', 'H');
    } else if (this.#phase === 'body') this.#serverBroke('s');
  }

  #responseOver(): void {
    this.context.wheel.disarm(this.timer);
    if (this.request.body.done) {
      this.#complete();
      return;
    }
    // Answered before the request was complete: the rest goes nowhere (RFC 9112 §9.3, §9.6).
    this.dropConnection();
    this.releaseServer();
    this.#phase = 'draining';
    this.request.blocked = false;
    this.client.armClient();
    this.client.pump();
  }

  // ---------------------------------------------------------------- tunnels

  #startTunnel(): void {
    const { context, client, response } = this;
    const { timeouts } = client.frontend.plan;
    this.#phase = 'tunnel';
    context.wheel.disarm(this.timer);
    client.disarmClient();
    const server = this.connection!.stream;
    this.#relay = new Relay(context, this, client.stream, server, timeouts, this.backend!.plan.timeouts);
    const { rest } = response;
    response.rest = undefined;
    if (response.restStart < response.restEnd) this.#relay.serverBytes(rest!, response.restStart, response.restEnd);
    client.pump();
  }

  relayOver(relay: Relay, cause: string, state: string): void {
    this.report.bytesRead += relay.bytesDown;
    this.report.bytesUploaded += relay.bytesUp;
    // HAProxy blames the server's side for an idle tunnel of HTTP.
    this.report.ends(relay.idle ? 's' : cause, state);
    this.#complete();
  }

  // ---------------------------------------------------------------- endings

  /** An error page is due. It is written by `settle`, when it is known whether the whole request is here. */
  #fail(status: ErrorStatus, cause: string, state: string): void {
    this.dropConnection();
    this.releaseServer();
    this.#phase = 'failed';
    this.#failStatus = status;
    this.report.ends(cause, state);
    this.request.blocked = false;
    this.client.pump();
  }

  /** Writes the page that is due. Returns true when the exchange is over and the next request can be read. */
  settle(): boolean {
    if (this.#phase !== 'failed') return this.#phase === 'over';
    this.response.writeError(this.#failStatus);
    this.#complete();
    return true;
  }

  /** The client can't be given a correct end any more. */
  #breakOff(cause: string, state: string): void {
    this.report.ends(cause, state);
    this.dropConnection();
    this.#finish();
    this.client.breakOff(this.response.started);
    this.client.exchangeOver(this, false);
  }

  #complete(): void {
    this.#finish();
    this.client.exchangeOver(this, this.response.keepClient);
  }

  /** Parts with the server, counts and logs. */
  #finish(): void {
    this.#phase = 'over';
    this.partWithServer();
    this.client.disarmClient();
    this.report.tell(this, this.report.logged ? 'end-logged-before' : 'end');
  }

  /** `on-marked-down shutdown-sessions`, or the end of a grace period. @param serverLost other servers may serve. */
  shutdown(serverLost: boolean): void {
    if (this.#phase === 'over') return;
    const state = this.search === 'connected' ? 'H' : 'C';
    if (this.#phase === 'tunnel') this.#relay!.abort('K', 'D');
    else if (this.response.started) this.#breakOff('K', 'D');
    else if (serverLost && this.#phase === 'head' && this.#leaves()) return;
    else this.#fail(503, 'K', state);
    this.flush();
  }

  #leaves(): boolean {
    this.#phase = 'search';
    return this.leaveServer();
  }

  /** This object is not used again. */
  dispose(): void {
    this.context.wheel.remove(this.timer);
  }
}
