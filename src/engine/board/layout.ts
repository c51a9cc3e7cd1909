/**
 * The board's layout: where in the shared memory each cell lies. A pure function of the plan and the number of workers, so that every thread
 * computes the same places and only the memory itself is handed over.
 *
 * Two arrays lie in one SharedArrayBuffer: `words` (Int32Array: states, limits, counts that several threads change) and `numbers`
 * (Float64Array: counters, times, the algorithms' cells). A 64-bit count is a Float64 that one worker alone writes and readers add up over
 * the workers: exact to 2^53, no atomic operation on the byte path, no BigInt anywhere, and what a worker has counted survives it.
 * (Aligned 64-bit loads and stores are never torn on x64 and arm64.)
 */
import { balanceCells } from '../../core/balance/create.ts';
import { messageErrors } from '../../core/http1/head.ts';
import { waitersMax } from '../../core/limits.ts';
import type { BackendPlan, BalancerPlan } from '../../plan/balancer.ts';

/** Words of the whole process. */
export const processWord = {
  connections: 0, // client connections of all frontends; atomic
  connectionsLimit: 1, // 0 = none
  connectionsMax: 2,
  stopping: 3, // 1 after a soft stop began
  connectionsTotal: 4, // accepted since the start, modulo 2^32
} as const;
const processWords = 16;

/** Words of a worker. */
export const workerWord = {
  alive: 0, // 1 from its start until the supervisor has taken its slots back
  wake: 1, // 1 while a wake-up is on its way; atomic
  connections: 2, // client connections on this worker; its own
  heartbeat: 3, // turns of its event loop, modulo 2^32; its own
} as const;
const workerWords = 16; // one cache line each

/** Words of a frontend. */
export const frontendWord = {
  connections: 0, // atomic
  limit: 1, // maxconn, 0 = none
  connectionsMax: 2,
  rateSecond: 3, // the second that `rate` counts, and the count of the one before; atomic enough for a statistic
  rate: 4,
  ratePrevious: 5,
  rateMax: 6,
} as const;
const frontendWords = 16; // then each worker's own count of the connections

/** Words of a backend, guarded by its lock unless told otherwise. */
export const backendWord = {
  lock: 0, // 0 = free, else owner + 1
  lockWaiters: 1, // atomic
  served: 2, // requests being served
  servedMax: 3,
  ticket: 4, // the last ticket given
  queueHead: 5,
  queueTail: 6,
  queueLength: 7,
  queueMax: 8,
  queuedTotal: 9, // in the backend's queue and all its servers'
  summary: 10, // four words: UsableSummary
  lastChange: 14, // wall clock seconds of the last change between usable and not
  downTransitions: 15,
  /** A grant to another worker that is being made: ticket number plus one, server, and that worker's count before. */
  grantTicket: 16,
  grantServer: 17,
  grantCount: 18,
} as const;
const backendWords = 32;

/** Columns of a backend's servers: one word for each server in each. Guarded by the backend's lock; read freely. */
export const serverColumns = [
  'weight', // scaled, 0 = not to be chosen
  'effectiveWeight', // scaled, whatever the state (slowstart)
  'userWeight', // 0..256, the configured weight until someone changes it
  'served',
  'servedMax',
  'queued', // length of the server's queue
  'queuedMax',
  'queueHead',
  'queueTail',
  'health', // 0..rise+fall-1: see core/health
  'admin', // bits: see serverAdmin
  'operational', // see operational
  'warmUp', // slowstart: percent of maxconn in use, 100 = all
  'lastChange', // wall clock seconds
  'failedChecks',
  'downTransitions',
  'downtime', // seconds down before the last change
  'checkStatus', // last result: see core/health
  'checkCode', // status of the answer, -1 = none
  'checkDurationMs',
  'checksDone', // 1 after the first result
  'addressGeneration', // changes with each new address
  'sessionGeneration', // changes when the server's sessions are to be ended (on-marked-down shutdown-sessions)
] as const;
export type ServerColumn = (typeof serverColumns)[number];

/** A frontend's words that are one for each worker begin here. */
export const frontendByWorker = frontendWords;

/** Words of a waiter's place in a queue. Links are ticket numbers plus one, so that 0 means none. */
export const ticketWord = { next: 0, previous: 1, state: 2, order: 3, backend: 4 } as const;
export const ticketWords = 5;

/** Counters: one Float64 for each worker. */
export const frontendCounter = {
  connections: 0,
  requests: 1,
  bytesIn: 2,
  bytesOut: 3,
  requestErrors: 4, // ereq
  deniedRequests: 5,
  deniedResponses: 6,
  responses1xx: 7,
  responses2xx: 8,
  responses3xx: 9,
  responses4xx: 10,
  responses5xx: 11,
  responsesOther: 12,
  sessions: 13,
  /** From here one for each of `messageErrors`: why requests were malformed. */
  malformed: 14,
} as const;
const frontendCounters = frontendCounter.malformed + messageErrors.length;

/** Counters of backends and servers alike. */
export const serverCounter = {
  sessions: 0, // stot: requests and sessions handed over
  connections: 1, // connect attempts
  reused: 2, // requests on a connection of the pool
  bytesIn: 3,
  bytesOut: 4,
  connectErrors: 5, // econ
  responseErrors: 6, // eresp
  retries: 7,
  redispatches: 8,
  clientAborts: 9,
  serverAborts: 10,
  responses1xx: 11,
  responses2xx: 12,
  responses3xx: 13,
  responses4xx: 14,
  responses5xx: 15,
  responsesOther: 16,
  chosen: 17, // lbtot
  queueTimeMs: 18, // sums, for averages
  connectTimeMs: 19,
  responseTimeMs: 20,
  totalTimeMs: 21,
  requests: 22, // complete exchanges
} as const;
const serverCounters = 24;

export interface BackendLayout {
  readonly words: number;
  readonly columns: Readonly<Record<ServerColumn, number>>;
  /** Requests that one worker has at one server: worker × servers + server. */
  readonly servedByWorker: number;
  /** Head and tail of each worker's list of granted waiters. */
  readonly granted: number;
  readonly balance: number; // in numbers
  readonly balanceCells: number;
}

export interface BoardLayout {
  readonly workers: number;
  readonly bytes: number;
  /** Where `numbers` begins, in bytes. */
  readonly numbersAt: number;
  readonly process: number;
  readonly worker: readonly number[];
  readonly frontends: readonly number[];
  readonly backends: readonly BackendLayout[];
  /** Tickets: `ticketsPerWorker` for each worker, one after the other. */
  readonly tickets: number;
  readonly ticketsPerWorker: number;
  /** Counters of a worker: from `counters[worker]`, `countersLength` numbers. Offsets within: below. */
  readonly counters: readonly number[];
  readonly countersLength: number;
  readonly frontendCounters: readonly number[];
  readonly backendCounters: readonly number[];
  readonly serverCounters: readonly (readonly number[])[];
}

/** @param workers worker threads, at least 1. */
export function layoutBoard(plan: BalancerPlan, workers: number): BoardLayout {
  const words = new Cursor();
  const process = words.take(processWords);
  const worker = Array.from({ length: workers }, () => words.take(workerWords));
  const frontends = plan.frontends.map(() => words.take(frontendWords + workers));
  const numbers = new Cursor();
  const backends = plan.backends.map((backend) => layoutBackend(backend, workers, words, numbers));
  const ticketsPerWorker = Math.min(plan.global.maxconn > 0 ? plan.global.maxconn : waitersMax, waitersMax);
  const tickets = words.take(workers * ticketsPerWorker * ticketWords);

  const offsets = new Cursor();
  const frontendOffsets = plan.frontends.map(() => offsets.take(frontendCounters));
  const backendOffsets = plan.backends.map(() => offsets.take(serverCounters));
  const serverOffsets = plan.backends.map((backend) => backend.servers.map(() => offsets.take(serverCounters)));
  const counters = Array.from({ length: workers }, () => numbers.take(offsets.end));

  const numbersAt = Math.ceil((words.end * 4) / 64) * 64;
  return {
    workers,
    bytes: numbersAt + numbers.end * 8,
    numbersAt,
    process,
    worker,
    frontends,
    backends,
    tickets,
    ticketsPerWorker,
    counters,
    countersLength: offsets.end,
    frontendCounters: frontendOffsets,
    backendCounters: backendOffsets,
    serverCounters: serverOffsets,
  };
}

function layoutBackend(plan: BackendPlan, workers: number, words: Cursor, numbers: Cursor): BackendLayout {
  const servers = plan.servers.length;
  const own = words.take(backendWords);
  const columns = Object.fromEntries(serverColumns.map((column) => [column, words.take(servers)]));
  const cells = balanceCells(plan.balance, servers);
  return {
    words: own,
    columns: columns as Record<ServerColumn, number>,
    servedByWorker: words.take(workers * servers),
    granted: words.take(workers * 2),
    balance: numbers.take(cells),
    balanceCells: cells,
  };
}

/** Hands out places one after the other, each on a cache line of its own (16 words, 8 numbers fit in it too). */
class Cursor {
  end = 0;
  take(cells: number): number {
    const at = this.end;
    this.end += Math.ceil(cells / 16) * 16;
    return at;
  }
}
