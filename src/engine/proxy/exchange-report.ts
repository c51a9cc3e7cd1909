/** What the log and the counters are told about an exchange, gathered while it runs. */
import { fillSearch, type ReportKind, report } from './log-exchange.ts';
import { type ExchangeRecord, whole } from './record.ts';
import type { ServerLeg } from './server-leg.ts';

export class ExchangeReport {
  /** -1 = no response. */
  status = -1;
  bytesRead = 0;
  bytesUploaded = 0;
  /** Termination code (manual 8.5): who ended it, and in which state. */
  cause = '-';
  state = '-';
  /** The line is written; only the counters are still to be told. */
  logged = false;
  #headAt = 0;
  #responseAt = 0;
  #responseMs = -1;
  /** What interim responses brought: a final response that is refused afterwards brings nothing. */
  #interimBytes = 0;

  begin(now: number, headLogBytes: number): void {
    this.status = this.#responseMs = -1;
    this.bytesRead = this.#interimBytes = 0;
    this.bytesUploaded = headLogBytes;
    this.cause = this.state = '-';
    this.logged = false;
    this.#headAt = now;
  }

  interimResponse(headLogBytes: number): void {
    this.#interimBytes += headLogBytes;
    this.bytesRead = this.#interimBytes;
  }

  /** @param connectedAt since when the server had the request. */
  response(status: number, headLogBytes: number, now: number, connectedAt: number): void {
    this.status = status;
    this.bytesRead += headLogBytes;
    this.#responseAt = now;
    this.#responseMs = now - connectedAt;
  }

  /** The response was no response after all. */
  responseRefused(): void {
    this.#responseMs = -1;
    this.bytesRead = this.#interimBytes;
  }

  ends(cause: string, state: string): void {
    this.cause = cause;
    this.state = state;
  }

  tell(exchange: ServerLeg, kind: ReportKind): void {
    const { client, context, backend } = exchange;
    const { record } = context;
    const now = context.clock.now();
    const { baseAt, frontend } = client;
    record.queueMs = whole(exchange.queueMs);
    record.connectMs = whole(exchange.connectMs);
    record.responseMs = whole(this.#responseMs);
    record.totalMs = whole(now - baseAt);
    record.status = this.status;
    record.bytesRead = this.bytesRead;
    record.bytesUploaded = this.bytesUploaded;
    const logged = frontend.logMoment !== 'never';
    if (logged) this.#fillLogged(record, exchange, now);
    report(
      context,
      frontend.plan.index,
      backend?.plan.index ?? -1,
      exchange.server,
      record,
      true,
      logged ? kind : 'counted',
    );
  }

  /** What only the log wants to know. */
  #fillLogged(record: ExchangeRecord, exchange: ServerLeg, now: number): void {
    const { client, backend, request } = exchange;
    const { firstByteAt, baseAt, frontend } = client;
    fillSearch(record, exchange);
    record.client = client.stream;
    record.listener = client.listener;
    record.frontendName = frontend.plan.name;
    record.backendName = backend?.plan.name ?? frontend.plan.name;
    record.acceptedWallMs = client.baseWall;
    record.requestWallMs = client.baseWall + (firstByteAt - baseAt);
    record.handshakeMs = 0;
    record.idleMs = whole(firstByteAt - baseAt);
    record.requestMs = backend === undefined ? -1 : whole(this.#headAt - firstByteAt);
    record.dataMs = this.#responseMs < 0 ? -1 : whole(now - this.#responseAt);
    record.activeMs = whole(now - firstByteAt);
    record.terminationCause = this.cause;
    record.terminationState = this.state;
    record.requestBytes = request.head.bytes;
    record.requestStart = 0;
    record.requestEnd = request.lineLength;
    record.requestCounter = client.requests;
  }
}
