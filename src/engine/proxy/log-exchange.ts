/** Fills the worker's log record with what an exchange or session was, and hands it to counters and log. */
import type { HttpClient } from './http-client.ts';
import { type ExchangeRecord, whole } from './record.ts';
import type { ProxyContext } from './runtime.ts';
import type { ServerSearch } from './server-search.ts';

/** A connection that ended, or was refused, before a request could be read. */
export function fillUnread(client: HttpClient, status: number, cause: string): void {
  const { context, frontend } = client;
  const { record } = context;
  const now = context.clock.now();
  const received = client.state === 'head';
  const firstByteAt = received ? client.firstByteAt : client.baseAt;
  record.client = client.stream;
  record.listener = client.listener;
  record.serverStream = undefined;
  record.serverAddress = undefined;
  record.frontendName = record.backendName = frontend.plan.name;
  record.serverName = '<NOSRV>';
  record.acceptedWallMs = client.baseWall;
  record.requestWallMs = client.baseWall + (firstByteAt - client.baseAt);
  record.idleMs = received ? whole(firstByteAt - client.baseAt) : 0;
  record.requestMs = record.queueMs = record.connectMs = record.responseMs = record.dataMs = -1;
  record.activeMs = whole(now - firstByteAt);
  record.totalMs = whole(now - client.baseAt);
  record.status = status;
  record.bytesRead = record.bytesUploaded = 0;
  record.terminationCause = cause;
  record.terminationState = 'R';
  record.retries = record.serverQueue = record.backendQueue = 0;
  record.redispatched = false;
  record.requestStart = record.requestEnd = 0;
  record.requestCounter = client.requests;
  record.backendConnections = record.serverConnections = 0;
  // HAProxy's default line is for requests.
  const kind = frontend.logMoment === 'begin' ? 'end-logged-before' : 'end';
  report(context, frontend.plan.index, -1, -1, record, received, kind);
}

/** What HTTP exchanges and TCP sessions have in common; to be called when the server's slot was given back. */
export function fillSearch(record: ExchangeRecord, search: ServerSearch): void {
  const { backend, server } = search;
  const plan = server >= 0 ? backend!.plan.servers[server] : undefined;
  record.serverName = plan?.name ?? '<NOSRV>';
  record.serverAddress = server >= 0 ? backend!.servers[server]!.address : undefined;
  record.queueMs = whole(search.queueMs);
  record.connectMs = whole(search.connectMs);
  record.retries = search.retries;
  record.redispatched = search.redispatched;
  record.serverQueue = search.serverQueue;
  record.backendQueue = search.backendQueue;
  record.backendConnections = backend?.dispatch.backendConnections() ?? 0;
  record.serverConnections =
    search.othersAtServer >= 0 || plan === undefined
      ? Math.max(0, search.othersAtServer)
      : backend!.dispatch.serverConnections(server);
}

/** What becomes of a record: counted at the end, logged at the end or early (see LogMoment); `counted`: nothing but that. */
export type ReportKind = 'end' | 'early' | 'end-logged-before' | 'counted';

export function report(
  context: ProxyContext,
  frontend: number,
  backend: number,
  server: number,
  record: ExchangeRecord,
  receivedBytes: boolean,
  kind: ReportKind,
): void {
  if (kind === 'counted') {
    context.stats.exchange(frontend, backend, server, record);
    record.serverStream = undefined;
    return;
  }
  record.activeConnections = context.stats.activeConnections();
  record.frontendConnections = context.stats.frontendConnections(frontend);
  record.asap = kind === 'early';
  if (kind !== 'early') context.stats.exchange(frontend, backend, server, record);
  if (kind !== 'end-logged-before') context.log.exchange(frontend, backend, record, receivedBytes);
  record.client = record.serverStream = undefined;
}
