/** The proxy's counting, on the board: admission is exact across threads, counters are this worker's own cells. */
import { type MessageError, messageErrors } from '../core/http1/head.ts';
import type { LogRecord } from '../core/log/record.ts';
import { frontendCounter, serverCounter } from './board/layout.ts';
import type { Board } from './board.ts';
import type { Clock } from './ports/time.ts';
import type { ProxyStats } from './proxy/ports.ts';

export class BoardStats implements ProxyStats {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #counters: Float64Array;
  readonly #frontends: readonly number[];
  readonly #backends: readonly number[];
  readonly #servers: readonly (readonly number[])[];

  /** @param board opened for this worker. */
  constructor(board: Board, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
    this.#counters = board.counters();
    this.#frontends = board.layout.frontendCounters;
    this.#backends = board.layout.backendCounters;
    this.#servers = board.layout.serverCounters;
  }

  openConnection(frontend: number): boolean {
    if (!this.#board.admit(frontend)) return false;
    this.#counters[this.#frontends[frontend]! + frontendCounter.connections]!++;
    this.#counters[this.#frontends[frontend]! + frontendCounter.sessions]!++;
    this.#board.countRate(frontend, this.#clock.now());
    return true;
  }

  closeConnection(frontend: number): void {
    this.#board.dismiss(frontend);
  }

  activeConnections(): number {
    return this.#board.processConnections();
  }

  frontendConnections(frontend: number): number {
    return this.#board.frontendConnections(frontend);
  }

  request(frontend: number): void {
    this.#counters[this.#frontends[frontend]! + frontendCounter.requests]!++;
  }

  requestError(frontend: number, reason: MessageError | undefined): void {
    const at = this.#frontends[frontend]!;
    this.#counters[at + frontendCounter.requestErrors]!++;
    if (reason !== undefined) this.#counters[at + frontendCounter.malformed + messageErrors.indexOf(reason)]!++;
  }

  connectAttempt(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.connections);
  }

  reused(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.reused);
  }

  connectError(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.connectErrors);
  }

  responseError(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.responseErrors);
  }

  retry(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.retries);
  }

  redispatch(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.redispatches);
  }

  clientAbort(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.clientAborts);
  }

  serverAbort(backend: number, server: number): void {
    this.#count(backend, server, serverCounter.serverAborts);
  }

  exchange(frontend: number, backend: number, server: number, record: LogRecord): void {
    const counters = this.#counters;
    const at = this.#frontends[frontend]!;
    counters[at + frontendCounter.bytesIn]! += record.bytesUploaded;
    counters[at + frontendCounter.bytesOut]! += record.bytesRead;
    const kind = statusClass(record.status);
    if (kind >= 0) counters[at + frontendCounter.responses1xx + kind]!++;
    if (backend < 0) return;
    this.#exchangeAt(this.#backends[backend]!, record, kind);
    if (server >= 0) this.#exchangeAt(this.#servers[backend]![server]!, record, kind);
  }

  #exchangeAt(at: number, record: LogRecord, kind: number): void {
    const counters = this.#counters;
    counters[at + serverCounter.requests]!++;
    counters[at + serverCounter.sessions]!++;
    counters[at + serverCounter.bytesIn]! += record.bytesUploaded;
    counters[at + serverCounter.bytesOut]! += record.bytesRead;
    if (kind >= 0) counters[at + serverCounter.responses1xx + kind]!++;
    if (record.queueMs > 0) counters[at + serverCounter.queueTimeMs]! += record.queueMs;
    if (record.connectMs > 0) counters[at + serverCounter.connectTimeMs]! += record.connectMs;
    if (record.responseMs > 0) counters[at + serverCounter.responseTimeMs]! += record.responseMs;
    counters[at + serverCounter.totalTimeMs]! += record.totalMs;
  }

  #count(backend: number, server: number, counter: number): void {
    if (backend < 0) return;
    this.#counters[this.#backends[backend]! + counter]!++;
    if (server >= 0) this.#counters[this.#servers[backend]![server]! + counter]!++;
  }
}

/** 0 for 1xx to 4 for 5xx, 5 for any other, -1 when there was no response. */
function statusClass(status: number): number {
  if (status < 0) return -1;
  return status >= 100 && status < 600 ? Math.trunc(status / 100) - 1 : 5;
}
