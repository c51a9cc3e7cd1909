/** What the proxy asks of its neighbours in the engine, besides Dispatch: counting and logging. */
import type { MessageError } from '../../core/http1/head.ts';
import type { LogRecord } from '../../core/log/record.ts';

/**
 * When a line is written: `begin` HAProxy's short default line, once a connection (tcp) or request (http) is there · `head` when the
 * response's head came (http) or the server is connected (tcp): `option logasap`, and formats that tell nothing later · `end` ·
 * `never`: nobody is told, and the record is filled with what is counted only.
 */
export type LogMoment = 'begin' | 'head' | 'end' | 'never';

/** Receives each finished exchange or session. The record is reused: it is valid for the call only. */
export interface ExchangeLog {
  moment(frontend: number): LogMoment;
  /**
   * @param backend index, or -1 when none was reached: the frontend's own log settings apply in any case.
   * @param receivedBytes at least one byte came from the client (`option dontlognull`).
   */
  exchange(frontend: number, backend: number, record: LogRecord, receivedBytes: boolean): void;
}

/** Counters, shared by all worker threads. Indexes are those of the plan; server -1 = none was chosen, backend -1 likewise. */
export interface ProxyStats {
  /**
   * Counts a client connection in, unless the frontend's or the process's `maxconn` is reached: then it returns false and
   * counts nothing. Exact across threads.
   */
  openConnection(frontend: number): boolean;
  closeConnection(frontend: number): void;
  /** Client connections of the process (%ac) and of one frontend (%fc), all threads. */
  activeConnections(): number;
  frontendConnections(frontend: number): number;
  /** A request head was read. */
  request(frontend: number): void;
  /** A request was malformed (`reason`), too late, or broken off. */
  requestError(frontend: number, reason: MessageError | undefined): void;
  /** A new connection to a server is begun, or one from the pool is taken. */
  connectAttempt(backend: number, server: number): void;
  reused(backend: number, server: number): void;
  connectError(backend: number, server: number): void;
  /** The server answered nonsense, too late or not at all. */
  responseError(backend: number, server: number): void;
  retry(backend: number, server: number): void;
  redispatch(backend: number, server: number): void;
  clientAbort(backend: number, server: number): void;
  serverAbort(backend: number, server: number): void;
  /** The end of an exchange (or TCP session): status class, bytes and times are in the record. */
  exchange(frontend: number, backend: number, server: number, record: LogRecord): void;
}
