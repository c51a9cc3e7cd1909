/**
 * What the board knows, as plain data with HAProxy's field names (management guide 9.1): for status, the statistics page, drills and tests.
 * Reading takes no lock; each number is exact by itself, and two numbers may be a moment apart.
 */
import { checkDescriptions, checkStatuses } from '../core/health/result.ts';
import { type MessageError, messageErrors } from '../core/http1/head.ts';
import type { BackendPlan, ServerPlan } from '../plan/balancer.ts';
import type { BackendBoard } from './board/backend.ts';
import { frontendCounter, serverCounter } from './board/layout.ts';
import type { Board } from './board.ts';
import { operational, serverAdmin } from './checker/server.ts';

/** Counts of answers by class. */
export interface ResponseClasses {
  readonly hrsp_1xx: number;
  readonly hrsp_2xx: number;
  readonly hrsp_3xx: number;
  readonly hrsp_4xx: number;
  readonly hrsp_5xx: number;
  readonly hrsp_other: number;
}

export interface FrontendStats extends ResponseClasses {
  readonly type: 0;
  readonly pxname: string;
  readonly svname: 'FRONTEND';
  readonly mode: string;
  readonly status: 'OPEN' | 'STOP';
  readonly scur: number;
  readonly smax: number;
  readonly slim: number;
  readonly stot: number;
  readonly bin: number;
  readonly bout: number;
  readonly dreq: number;
  readonly dresp: number;
  readonly ereq: number;
  /** Of these the malformed ones, by the rule they broke; what never happened is left out. */
  readonly malformed: Readonly<Partial<Record<MessageError, number>>>;
  readonly rate: number;
  readonly rate_max: number;
  readonly conn_tot: number;
  readonly req_tot: number;
}

/** Fields that backends and servers share. */
interface BackendSideStats extends ResponseClasses {
  readonly pxname: string;
  readonly svname: string;
  readonly mode: string;
  readonly status: string;
  readonly qcur: number;
  readonly qmax: number;
  readonly scur: number;
  readonly smax: number;
  readonly stot: number;
  readonly bin: number;
  readonly bout: number;
  readonly econ: number;
  readonly eresp: number;
  readonly wretr: number;
  readonly wredis: number;
  readonly weight: number;
  readonly act: number;
  readonly bck: number;
  readonly chkdown: number;
  readonly lastchg: number;
  readonly downtime: number;
  readonly lbtot: number;
  readonly cli_abrt: number;
  readonly srv_abrt: number;
  readonly qtime: number;
  readonly ctime: number;
  readonly rtime: number;
  readonly ttime: number;
  readonly connect: number;
  readonly reuse: number;
  readonly req_tot: number;
}

export interface BackendStats extends BackendSideStats {
  readonly type: 1;
  readonly slim: number;
}

export interface ServerStats extends BackendSideStats {
  readonly type: 2;
  readonly addr: string;
  /** maxconn and maxqueue, 0 = none. */
  readonly slim: number;
  readonly qlimit: number;
  /** Percent of slowstart done; 100 when over. */
  readonly throttle: number;
  readonly chkfail: number;
  /** Empty for a server without checks. */
  readonly check_status: string;
  readonly check_code: number;
  readonly check_duration: number;
  readonly check_health: number;
  readonly check_rise: number;
  readonly check_fall: number;
  readonly last_chk: string;
  readonly tracked: string;
  readonly sid: number;
}

export interface Stats {
  readonly process: {
    readonly connections: number;
    readonly connectionsMax: number;
    readonly connectionsLimit: number;
    readonly connectionsTotal: number;
    readonly stopping: boolean;
    readonly workers: readonly { readonly alive: boolean; readonly connections: number; readonly heartbeat: number }[];
  };
  readonly frontends: readonly FrontendStats[];
  readonly backends: readonly { readonly own: BackendStats; readonly servers: readonly ServerStats[] }[];
}

/** @param wallMs now, milliseconds since 1970. */
export function snapshot(board: Board, wallMs: number): Stats {
  const { plan } = board;
  return {
    process: {
      connections: board.processConnections(),
      connectionsMax: board.processCell('connectionsMax'),
      connectionsLimit: board.processCell('connectionsLimit'),
      connectionsTotal: board.processCell('connectionsTotal') >>> 0,
      stopping: board.processCell('stopping') === 1,
      workers: board.layout.worker.map((_, worker) => ({
        alive: board.workerCell(worker, 'alive') === 1,
        connections: board.workerCell(worker, 'connections'),
        heartbeat: board.workerCell(worker, 'heartbeat') >>> 0,
      })),
    },
    frontends: plan.frontends.map((_, index) => frontendStats(board, index)),
    backends: board.backends.map((backend) => ({
      own: backendStats(board, backend, wallMs),
      servers: backend.plan.servers.map((server) => serverStats(board, backend, server, wallMs)),
    })),
  };
}

function malformed(board: Board, at: number): Partial<Record<MessageError, number>> {
  const counts: Partial<Record<MessageError, number>> = {};
  for (const [index, reason] of messageErrors.entries()) {
    const count = board.sum(at + index);
    if (count > 0) counts[reason] = count;
  }
  return counts;
}

function frontendStats(board: Board, index: number): FrontendStats {
  const plan = board.plan.frontends[index];
  const at = board.layout.frontendCounters[index];
  const sum = (counter: keyof typeof frontendCounter) => board.sum(at + frontendCounter[counter]);
  return {
    type: 0,
    pxname: plan.name,
    svname: 'FRONTEND',
    mode: plan.mode,
    status: plan.disabled || board.processCell('stopping') === 1 ? 'STOP' : 'OPEN',
    scur: board.frontendConnections(index),
    smax: board.frontendCell(index, 'connectionsMax'),
    slim: board.frontendCell(index, 'limit'),
    stot: sum('sessions'),
    bin: sum('bytesIn'),
    bout: sum('bytesOut'),
    dreq: sum('deniedRequests'),
    dresp: sum('deniedResponses'),
    ereq: sum('requestErrors'),
    malformed: malformed(board, at + frontendCounter.malformed),
    rate: board.frontendCell(index, 'ratePrevious'),
    rate_max: board.frontendCell(index, 'rateMax'),
    conn_tot: sum('connections'),
    req_tot: sum('requests'),
    hrsp_1xx: sum('responses1xx'),
    hrsp_2xx: sum('responses2xx'),
    hrsp_3xx: sum('responses3xx'),
    hrsp_4xx: sum('responses4xx'),
    hrsp_5xx: sum('responses5xx'),
    hrsp_other: sum('responsesOther'),
  };
}

function backendStats(board: Board, backend: BackendBoard, wallMs: number): BackendStats {
  const { plan, summary } = backend;
  const usable = summary.active + summary.backups;
  return {
    type: 1,
    pxname: plan.name,
    svname: 'BACKEND',
    mode: plan.mode,
    status: usable > 0 || backend.count === 0 ? 'UP' : 'DOWN',
    ...counted(board, board.layout.backendCounters[plan.index]),
    qcur: backend.word('queueLength'),
    qmax: backend.word('queueMax'),
    scur: backend.word('served') + backend.word('queuedTotal'),
    smax: backend.word('servedMax'),
    slim: plan.fullconn,
    weight: plan.servers.reduce((sum, server) => sum + weightInUse(backend, server), 0),
    act: summary.active,
    bck: summary.backups,
    chkdown: backend.word('downTransitions'),
    lastchg: secondsSince(backend.word('lastChange'), wallMs),
    downtime: usable > 0 ? 0 : secondsSince(backend.word('lastChange'), wallMs),
  };
}

function serverStats(board: Board, backend: BackendBoard, plan: ServerPlan, wallMs: number): ServerStats {
  const cell = (column: Parameters<BackendBoard['column']>[0]) => backend.column(column)[plan.index];
  const status = checkStatuses[cell('checkStatus')] ?? 'INI';
  const since = secondsSince(cell('lastChange'), wallMs);
  const isDown = cell('operational') === operational.stopped || cell('admin') !== 0;
  return {
    type: 2,
    pxname: backend.plan.name,
    svname: plan.name,
    mode: backend.plan.mode,
    status: serverStatus(board, backend, plan),
    addr:
      plan.address === undefined || plan.address.family === 'unix' ? '' : `${plan.address.host}:${plan.address.port}`,
    ...counted(board, board.layout.serverCounters[backend.plan.index][plan.index]),
    qcur: cell('queued'),
    qmax: cell('queuedMax'),
    scur: cell('served'),
    smax: cell('servedMax'),
    slim: plan.maxconn,
    qlimit: plan.maxqueue,
    weight: plan.weight,
    act: plan.backup ? 0 : 1,
    bck: plan.backup ? 1 : 0,
    throttle: cell('warmUp'),
    chkfail: cell('failedChecks'),
    chkdown: cell('downTransitions'),
    lastchg: since,
    downtime: cell('downtime') + (isDown ? since : 0),
    check_status: plan.check === undefined ? '' : status,
    check_code: cell('checkCode'),
    check_duration: cell('checkDurationMs'),
    check_health: cell('health'),
    check_rise: plan.check?.rise ?? 0,
    check_fall: plan.check?.fall ?? 0,
    last_chk: plan.check === undefined ? '' : checkDescriptions[status],
    tracked: trackedName(board, plan),
    sid: plan.id,
  };
}

/** HAProxy's words: UP, DOWN, `UP 2/3`, `DOWN 1/2`, DRAIN, MAINT, `no check`. */
function serverStatus(board: Board, backend: BackendBoard, plan: ServerPlan): string {
  const cell = (column: Parameters<BackendBoard['column']>[0]) => backend.column(column)[plan.index];
  const admin = cell('admin');
  if ((admin & serverAdmin.unresolved) !== 0) return 'MAINT (resolution)';
  if ((admin & serverAdmin.inherited) !== 0 && plan.track !== undefined)
    return `MAINT (via ${trackedName(board, plan)})`;
  if (admin !== 0) return 'MAINT';
  const isDown = cell('operational') === operational.stopped;
  const { check } = plan;
  if (check === undefined) {
    if (plan.track === undefined) return plan.weight === 0 ? 'DRAIN' : 'no check';
    return isDown ? 'DOWN' : 'UP';
  }
  const health = cell('health');
  if (isDown) return health > 0 ? `DOWN ${health}/${check.rise}` : 'DOWN';
  if (health < check.rise + check.fall - 1) return `UP ${health - check.rise + 1}/${check.fall}`;
  return plan.weight === 0 ? 'DRAIN' : 'UP';
}

function trackedName(board: Board, plan: ServerPlan): string {
  if (plan.track === undefined) return '';
  const backend = board.plan.backends[plan.track.backend];
  return `${backend.name}/${backend.servers[plan.track.server].name}`;
}

function weightInUse(backend: BackendBoard, server: ServerPlan): number {
  if (backend.weights[server.index] === 0) return 0;
  return isBackupIdle(backend, server, backend.plan) ? 0 : server.weight;
}

/** Backups count only while no other server can be used. */
function isBackupIdle(backend: BackendBoard, server: ServerPlan, plan: BackendPlan): boolean {
  if (!server.backup) return false;
  return backend.summary.active > 0 || (!plan.allBackups && backend.summary.firstBackup !== server.index);
}

function counted(board: Board, at: number) {
  const sum = (counter: keyof typeof serverCounter) => board.sum(at + serverCounter[counter]);
  const requests = sum('sessions');
  const average = (counter: keyof typeof serverCounter) => (requests === 0 ? 0 : Math.trunc(sum(counter) / requests));
  return {
    stot: requests,
    bin: sum('bytesIn'),
    bout: sum('bytesOut'),
    econ: sum('connectErrors'),
    eresp: sum('responseErrors'),
    wretr: sum('retries'),
    wredis: sum('redispatches'),
    lbtot: sum('chosen'),
    cli_abrt: sum('clientAborts'),
    srv_abrt: sum('serverAborts'),
    qtime: average('queueTimeMs'),
    ctime: average('connectTimeMs'),
    rtime: average('responseTimeMs'),
    ttime: average('totalTimeMs'),
    connect: sum('connections'),
    reuse: sum('reused'),
    req_tot: sum('requests'),
    hrsp_1xx: sum('responses1xx'),
    hrsp_2xx: sum('responses2xx'),
    hrsp_3xx: sum('responses3xx'),
    hrsp_4xx: sum('responses4xx'),
    hrsp_5xx: sum('responses5xx'),
    hrsp_other: sum('responsesOther'),
  };
}

/** @param wallSeconds as a word of the board: unsigned, good until 2106. */
function secondsSince(wallSeconds: number, wallMs: number): number {
  return wallSeconds === 0 ? 0 : Math.max(0, Math.trunc(wallMs / 1000) - (wallSeconds >>> 0));
}
