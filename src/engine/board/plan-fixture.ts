/** Plans for tests of this room: complete, with HAProxy's defaults; a test names only what it is about. */
import type {
  BackendPlan,
  BalancePlan,
  BalancerPlan,
  CheckPlan,
  FrontendPlan,
  ServerPlan,
} from '../../plan/balancer.ts';

const timeouts = {
  client: 0,
  clientFin: 0,
  httpRequest: 0,
  httpKeepAlive: 0,
  connect: 0,
  queue: 0,
  server: 0,
  serverFin: 0,
  tunnel: 0,
  check: 0,
  tarpit: 0,
};
const log = {
  targets: [],
  format: undefined,
  dontLogNull: false,
  dontLogNormal: false,
  logAsap: false,
  logSeparateErrors: false,
};

export const plainBalance: BalancePlan = {
  algorithm: 'roundrobin',
  uriWhole: false,
  uriLength: 0,
  uriDepth: 0,
  uriPathOnly: false,
  headerName: '',
  headerDomainOnly: false,
  randomDraws: 2,
  hashMethod: 'map-based',
  hashFunction: 'sdbm',
  hashAvalanche: false,
  hashBalanceFactor: 0,
};

export const plainCheck: CheckPlan = {
  kind: 'tcp',
  address: undefined,
  followsServer: true,
  port: undefined,
  expectAlso: [],
  timeoutFromStart: true,
  intervalMs: 2000,
  fastIntervalMs: 2000,
  downIntervalMs: 2000,
  rise: 2,
  fall: 3,
  request: new Uint8Array(0),
  expect: undefined,
  connectTimeoutMs: 2000,
  responseTimeoutMs: 2000,
};

export function backendPlan(
  servers: readonly Partial<ServerPlan>[],
  options: Partial<Omit<BackendPlan, 'servers' | 'balance'>> & { balance?: Partial<BalancePlan> } = {},
): BackendPlan {
  return {
    index: 0,
    name: 'servers',
    mode: 'http',
    disabled: false,
    timeouts,
    retries: 3,
    redispatch: 0,
    freeRedispatch: true,
    connectionMode: 'keep-alive',
    reuse: 'safe',
    serverKeepAlive: false,
    nolinger: false,
    abortOnClose: false,
    allBackups: false,
    forwardFor: undefined,
    fullconn: 0,
    log,
    logHealthChecks: false,
    errorFiles: new Map(),
    source: undefined,
    ...options,
    balance: { ...plainBalance, ...options.balance },
    servers: servers.map((server, index) => serverPlan(index, server)),
  };
}

export function serverPlan(index: number, server: Partial<ServerPlan>): ServerPlan {
  return {
    index,
    name: `server${index + 1}`,
    id: index + 1,
    address: { family: 'ipv4', host: '127.0.0.1', port: 8001 + index },
    hostname: undefined,
    portOffset: undefined,
    weight: 1,
    backup: false,
    disabled: false,
    maxconn: 0,
    minconn: server.maxconn ?? 0,
    maxqueue: 0,
    slowstartMs: 0,
    onMarkedDown: 'none',
    onMarkedUp: 'none',
    poolMaxConn: -1,
    poolPurgeDelayMs: 5000,
    source: undefined,
    check: undefined,
    resolvers: -1,
    resolvePrefer: 'ipv6',
    track: undefined,
    ...server,
  };
}

export function frontendPlan(index: number, options: Partial<FrontendPlan> = {}): FrontendPlan {
  return {
    index,
    name: `frontend${index + 1}`,
    mode: 'http',
    disabled: false,
    binds: [],
    maxconn: 0,
    backlog: 0,
    backend: 0,
    timeouts,
    connectionMode: 'keep-alive',
    clientKeepAlive: false,
    nolinger: false,
    forwardFor: undefined,
    log,
    errorFiles: new Map(),
    ignoreProbes: false,
    monitorUri: undefined,
    ...options,
  };
}

export function balancerPlan(
  backends: readonly BackendPlan[],
  frontends: readonly FrontendPlan[] = [frontendPlan(0)],
  global: Partial<BalancerPlan['global']> = {},
): BalancerPlan {
  return {
    global: {
      maxconn: 0,
      nbthread: 1,
      cpuMap: [],
      quiet: false,
      uid: undefined,
      gid: undefined,
      daemon: false,
      masterWorker: false,
      pidfile: undefined,
      user: undefined,
      group: undefined,
      chroot: undefined,
      ulimitN: 0,
      hardStopAfterMs: 0,
      graceMs: 0,
      spreadChecksPercent: 0,
      maxSpreadChecksMs: 0,
      node: '',
      description: '',
      bufferBytes: 16_384,
      maxRewriteBytes: 1024,
      headerFieldsMax: 101,
      logs: [],
      ...global,
    },
    frontends,
    backends,
    logTargets: [],
    resolvers: [],
  };
}
