/** A connection in TCP mode: a server is found for it, then bytes pass both ways until both sides have ended. */
import type { Stream, StreamError, StreamHandler } from '../ports/streams.ts';
import { LastBytes } from './last-bytes.ts';
import { fillSearch, type ReportKind, report } from './log-exchange.ts';
import { whole } from './record.ts';
import { Relay, type RelayOwner } from './relay.ts';
import { addressHash } from './request-hash.ts';
import type { FrontendRuntime, ProxyClient, ProxyContext } from './runtime.ts';
import { serverAddress } from './server-address.ts';
import { ServerSearch } from './server-search.ts';

export class TcpSession extends ServerSearch implements StreamHandler, RelayOwner, ProxyClient {
  readonly #frontend: FrontendRuntime;
  readonly #client: Stream;
  readonly #listener: number;
  #server: TcpServer | undefined;
  #relay: Relay | undefined;
  readonly #acceptedAt: number;
  readonly #acceptedWall: number;
  #clientEnded = false;
  #over = false;
  #logged = false;
  #clientClosed = false;
  #clientLast: LastBytes | undefined;

  constructor(context: ProxyContext, frontend: FrontendRuntime, client: Stream, listener: number) {
    super(context);
    this.#frontend = frontend;
    this.#client = client;
    this.#listener = listener;
    // Asked now, because the kernel has forgotten it once the client resets the connection, and the log wants it then.
    client.remoteAddress();
    this.#acceptedAt = context.clock.now();
    this.#acceptedWall = context.clock.wall();
  }

  /** Nothing is read from the client before a server is there to take it. */
  start(): void {
    this.#client.pause();
    this.resetSearch(this.#frontend.backend);
    if (this.#frontend.logMoment === 'begin') this.#logEarly();
    if (this.backend === undefined) {
      this.searchFailed('S', 'C');
      return;
    }
    const { balanceKey } = this.backend;
    if (balanceKey.kind === 'source') this.balanceHash = addressHash(balanceKey, this.#client.remoteAddress());
    this.findServer();
  }

  // ---------------------------------------------------------------- the client's stream

  opened(): void {}

  received(buffer: Uint8Array, start: number, end: number): void {
    this.#relay?.clientBytes(buffer, start, end);
  }

  relayed(bytes: number): void {
    this.#relay?.clientRelayed(bytes);
  }

  drained(): void {
    this.#relay?.clientDrained();
  }

  ended(): void {
    this.#clientEnded = true;
    if (this.#relay !== undefined) {
      this.#relay.clientEnded();
      return;
    }
    if (this.backend?.plan.abortOnClose === true) this.#abandon();
  }

  closed(error: StreamError | undefined): void {
    this.#clientClosed = true;
    this.#clientLast?.over();
    if (this.#relay !== undefined) this.#relay.clientClosed(error);
    else this.#abandon();
    this.context.wheel.remove(this.timer);
    this.context.stats.closeConnection(this.#frontend.plan.index);
    this.#frontend.connectionClosed(this);
  }

  #abandon(): void {
    if (this.#over) return;
    if (this.backend !== undefined) this.context.stats.clientAbort(this.backend.plan.index, this.server);
    this.#end('C', this.search === 'queued' ? 'Q' : 'C');
  }

  // ---------------------------------------------------------------- the server

  protected open(): void {
    const { backend, context } = this;
    const { plan: server, address } = backend!.servers[this.server]!;
    const to = serverAddress(address, server.portOffset, this.#client);
    if (to === undefined) {
      this.connectFailed(false);
      return;
    }
    context.stats.connectAttempt(backend!.plan.index, this.server);
    const from = server.source ?? backend!.plan.source;
    const keepAlive = backend!.plan.serverKeepAlive;
    const side = new TcpServer(this);
    this.#server = side;
    side.stream = context.streams.connect(from === undefined ? { to, keepAlive } : { to, from, keepAlive }, side);
    this.armConnect();
  }

  serverOpened(): void {
    this.connected();
    const { timeouts } = this.#frontend.plan;
    this.#relay = new Relay(
      this.context,
      this,
      this.#client,
      this.#server!.stream,
      timeouts,
      this.backend!.plan.timeouts,
    );
    if (this.#frontend.logMoment === 'head') this.#logEarly();
    this.#client.resume();
    // An adapter tells a FIN after all bytes that came before it, so it was told while nothing was held back.
    if (this.#clientEnded) this.#relay.clientEnded();
  }

  serverBytes(buffer: Uint8Array, start: number, end: number): void {
    this.#relay?.serverBytes(buffer, start, end);
  }

  serverRelayed(bytes: number): void {
    this.#relay?.serverRelayed(bytes);
  }

  serverDrained(): void {
    this.#relay?.serverDrained();
  }

  serverEnded(): void {
    this.#relay?.serverEnded();
  }

  serverClosed(error: StreamError | undefined): void {
    if (this.#relay !== undefined) {
      if (error !== undefined) this.context.stats.serverAbort(this.backend!.plan.index, this.server);
      this.#relay.serverClosed(error);
      return;
    }
    this.#server = undefined;
    this.connectFailed(false);
    this.#client.flush();
  }

  protected connectTimedOut(): void {
    this.#dropServer(false);
    this.connectFailed(true);
  }

  protected searchFailed(cause: 's' | 'S', state: 'C' | 'Q'): void {
    this.#end(cause, state);
  }

  /** While connected the relay keeps time. */
  protected serverExpired(): void {}

  // ---------------------------------------------------------------- endings

  relayOver(_relay: Relay, cause: string, state: string): void {
    this.#end(cause, state);
  }

  retire(): void {}

  shutdown(backend: number, server: number): void {
    if (server >= 0 && (this.server !== server || this.backend?.plan.index !== backend)) return;
    if (this.#relay !== undefined) this.#relay.abort('K', 'D');
    else this.#end('K', 'C');
    this.flush();
  }

  #end(cause: string, state: string): void {
    if (this.#over) return;
    this.#over = true;
    const { context } = this;
    const { record } = context;
    context.wheel.disarm(this.timer);
    record.serverStream = this.#server?.stream;
    // Who has read nothing in all that time is not waited for any longer.
    const isLate = state === 'D' && (cause === 'c' || cause === 's');
    this.#dropServer(isLate);
    if (!this.#clientClosed) {
      const { client, clientFin } = this.#frontend.plan.timeouts;
      // Broken off by the other side's failure: the client must not take a part for the whole.
      if ((cause === 'S' && state === 'D') || (isLate && this.#client.unsentBytes > 0)) this.#client.reset();
      else this.#clientLast = LastBytes.close(context, this.#client, clientFin || client);
    }
    this.releaseServer();
    this.#report(this.#logged ? 'end-logged-before' : 'end', cause, state);
  }

  #logEarly(): void {
    this.#logged = true;
    this.context.record.serverStream = this.#server?.stream;
    this.#report('early', '-', '-');
  }

  #report(kind: ReportKind, cause: string, state: string): void {
    const { context } = this;
    const { record } = context;
    const now = context.clock.now();
    fillSearch(record, this);
    record.client = this.#client;
    record.listener = this.#listener;
    record.frontendName = this.#frontend.plan.name;
    record.backendName = this.backend?.plan.name ?? this.#frontend.plan.name;
    record.acceptedWallMs = record.requestWallMs = this.#acceptedWall;
    record.handshakeMs = record.idleMs = 0;
    record.requestMs = record.responseMs = -1;
    record.dataMs = this.connectMs < 0 ? -1 : whole(now - this.connectedAt);
    record.activeMs = record.totalMs = whole(now - this.#acceptedAt);
    record.status = -1;
    record.bytesRead = this.#relay?.bytesDown ?? 0;
    record.bytesUploaded = this.#relay?.bytesUp ?? 0;
    record.terminationCause = cause;
    record.terminationState = state;
    record.requestStart = record.requestEnd = 0;
    record.requestCounter = 1;
    report(
      context,
      this.#frontend.plan.index,
      this.backend?.plan.index ?? -1,
      this.server,
      record,
      record.bytesUploaded > 0,
      kind,
    );
  }

  #dropServer(isLate: boolean): void {
    const side = this.#server;
    if (side === undefined) return;
    this.#server = undefined;
    const { server, serverFin } = this.backend!.plan.timeouts;
    if (isLate && side.stream.unsentBytes > 0) side.stream.reset();
    side.detach(this.context, serverFin || server);
  }

  protected flush(): void {
    this.#client.flush();
    this.#server?.stream.flush();
  }
}

/** The server's side of a session; after `detach` it tells nothing any more. */
class TcpServer implements StreamHandler {
  stream!: Stream;
  #session: TcpSession | undefined;
  #last: LastBytes | undefined;

  constructor(session: TcpSession) {
    this.#session = session;
  }

  detach(context: ProxyContext, lastMs: number): void {
    this.#session = undefined;
    this.#last = LastBytes.close(context, this.stream, lastMs);
  }

  opened(): void {
    this.#session?.serverOpened();
  }
  received(buffer: Uint8Array, start: number, end: number): void {
    this.#session?.serverBytes(buffer, start, end);
  }
  relayed(bytes: number): void {
    this.#session?.serverRelayed(bytes);
  }
  drained(): void {
    this.#session?.serverDrained();
  }
  ended(): void {
    this.#session?.serverEnded();
  }
  closed(error: StreamError | undefined): void {
    this.#last?.over();
    this.#session?.serverClosed(error);
  }
}
