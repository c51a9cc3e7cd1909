/**
 * The balancer's Plan: everything the engine needs to know, resolved, complete and frozen.
 * Defaults are filled in, `defaults` sections merged, names resolved, references turned into indexes, times into
 * milliseconds, texts that are sent into bytes. The engine never sees Config. A timeout of 0 means: none.
 */

import type { SocketAddress } from '../core/address.ts';

export type Mode = 'http' | 'tcp';

export interface BalancerPlan {
  readonly global: GlobalPlan;
  readonly frontends: readonly FrontendPlan[];
  readonly backends: readonly BackendPlan[];
  /** All log targets of all sections, each once; proxies refer to them by index. */
  readonly logTargets: readonly LogTarget[];
  readonly resolvers: readonly ResolversPlan[];
}

export interface GlobalPlan {
  /** Connections of the whole process; 0 = as many as descriptors allow. */
  readonly maxconn: number;
  /** Worker threads, at least 1. */
  readonly nbthread: number;
  /** For each thread the set of CPUs it may run on, or undefined for all (`cpu-map`). */
  readonly cpuMap: readonly (readonly number[] | undefined)[];
  readonly daemon: boolean;
  /** `quiet`: print nothing at start but errors. */
  readonly quiet: boolean;
  readonly pidfile: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** `uid` and `gid`, which count where `user` and `group` are missing. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly ulimitN: number;
  /** Longest soft stop; 0 = no limit. */
  readonly hardStopAfterMs: number;
  readonly graceMs: number;
  readonly spreadChecksPercent: number;
  /** 0 = no limit. */
  readonly maxSpreadChecksMs: number;
  readonly node: string;
  readonly description: string;
  /** tune.bufsize, tune.maxrewrite, tune.http.maxhdr: limits on heads. */
  readonly bufferBytes: number;
  readonly maxRewriteBytes: number;
  readonly headerFieldsMax: number;
  /** Log targets of `global`, for process messages. */
  readonly logs: readonly number[];
}

// ---------------------------------------------------------------- log targets

export type SyslogFormat = 'rfc3164' | 'rfc5424' | 'local' | 'priority' | 'short' | 'timed' | 'iso' | 'raw';

export interface LogTarget {
  readonly to:
    | { readonly kind: 'udp'; readonly address: SocketAddress }
    | { readonly kind: 'unix'; readonly path: string }
    | { readonly kind: 'fd'; readonly fd: 1 | 2 };
  /** Syslog facility 0..23. */
  readonly facility: number;
  /** Least severe level sent (7 = debug) and the level that more severe ones are lowered to (0 = emerg). */
  readonly level: number;
  readonly minLevel: number;
  readonly format: SyslogFormat;
  /** `len`: longest line in bytes. */
  readonly length: number;
  readonly tag: string;
  /** Hostname field; empty without log-send-hostname (rfc3164 then says `localhost`, rfc5424 `-`, as HAProxy does). */
  readonly hostname: string;
  /** `sample <ranges>:<size>`; undefined = every line. */
  readonly sample: { readonly ranges: readonly (readonly [number, number])[]; readonly size: number } | undefined;
}

// ---------------------------------------------------------------- proxies

/** Milliseconds; 0 = no timeout. */
export interface Timeouts {
  readonly client: number;
  readonly clientFin: number;
  readonly httpRequest: number;
  readonly httpKeepAlive: number;
  readonly connect: number;
  readonly queue: number;
  readonly server: number;
  readonly serverFin: number;
  readonly tunnel: number;
  readonly check: number;
  readonly tarpit: number;
}

/** What happens to the connections after a response: `option http-keep-alive`, `http-server-close`, `httpclose`. */
export type HttpConnectionMode = 'keep-alive' | 'server-close' | 'close';

export interface FrontendPlan {
  readonly index: number;
  readonly name: string;
  readonly mode: Mode;
  readonly disabled: boolean;
  readonly binds: readonly BindPlan[];
  /** 0 = no limit but the process's. */
  readonly maxconn: number;
  readonly backlog: number;
  /** Backend of an unconditional `use_backend`, else `default_backend`; -1 = none (503). For `listen`: its own backend. */
  readonly backend: number;
  readonly timeouts: Timeouts;
  readonly connectionMode: HttpConnectionMode;
  readonly clientKeepAlive: boolean; // option clitcpka / tcpka
  readonly nolinger: boolean;
  readonly forwardFor: ForwardForPlan | undefined;
  readonly log: ProxyLogPlan;
  /** Complete responses by status, from `errorfile`; the built-in ones are the engine's. */
  readonly errorFiles: ReadonlyMap<number, Uint8Array>;
  readonly ignoreProbes: boolean; // option http-ignore-probes
  readonly monitorUri: string | undefined;
}

export interface ProxyLogPlan {
  /** Indexes into `logTargets`. */
  readonly targets: readonly number[];
  /** Text of the format to compile, after `option httplog|tcplog` or `log-format`; undefined = HAProxy's short default line. */
  readonly format: string | undefined;
  readonly dontLogNull: boolean;
  readonly dontLogNormal: boolean;
  readonly logAsap: boolean;
  readonly logSeparateErrors: boolean;
}

export interface BindPlan {
  readonly address: SocketAddress;
  readonly name: string | undefined;
  readonly maxconn: number;
  readonly backlog: number;
  /** IPv6 sockets: true = IPv6 only, false = also IPv4. */
  readonly v6only: boolean;
  readonly transparent: boolean;
  readonly interface: string | undefined;
  /** Unix sockets. */
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly deferAccept: boolean;
  readonly tcpUserTimeoutMs: number;
}

export interface ForwardForPlan {
  readonly header: string; // X-Forwarded-For
  readonly ifNone: boolean;
  /** Client networks for which nothing is added. */
  readonly except: { readonly family: 'ipv4' | 'ipv6'; readonly network: string; readonly prefix: number } | undefined;
}

export type HttpReuse = 'never' | 'safe' | 'aggressive' | 'always';

export interface BackendPlan {
  readonly index: number;
  readonly name: string;
  readonly mode: Mode;
  readonly disabled: boolean;
  readonly servers: readonly ServerPlan[];
  readonly balance: BalancePlan;
  readonly timeouts: Timeouts;
  /** Attempts after the first (`retries`, default 3). */
  readonly retries: number;
  /** `option redispatch <interval>`: 0 = off (`no option redispatch`), -1 = on the last retry (the manual's default form), -N = on the Nth before the last, N = on every Nth. */
  readonly redispatch: number;
  /**
   * True when nothing in the configuration says anything about redispatch: then a request that is tied to no server
   * (no cookie, no stick rule) may go to another one at once.
   */
  readonly freeRedispatch: boolean;
  readonly connectionMode: HttpConnectionMode;
  readonly reuse: HttpReuse;
  readonly serverKeepAlive: boolean; // option srvtcpka / tcpka
  readonly nolinger: boolean;
  readonly abortOnClose: boolean;
  readonly allBackups: boolean;
  readonly forwardFor: ForwardForPlan | undefined;
  /** Load at which minconn has grown to maxconn; 0 = not known (no maxconn anywhere), then maxconn counts. */
  readonly fullconn: number;
  readonly log: ProxyLogPlan;
  readonly logHealthChecks: boolean;
  readonly errorFiles: ReadonlyMap<number, Uint8Array>;
  /** Local address for connections to servers (`source`). */
  readonly source: SocketAddress | undefined;
}

export type BalanceAlgorithm = 'roundrobin' | 'static-rr' | 'leastconn' | 'first' | 'source' | 'uri' | 'hdr' | 'random';

export interface BalancePlan {
  readonly algorithm: BalanceAlgorithm;
  /** `uri`: whole | len | depth | path-only. `hdr`: name, use_domain_only. `random`: number of draws. */
  readonly uriWhole: boolean;
  readonly uriLength: number;
  readonly uriDepth: number;
  readonly uriPathOnly: boolean;
  readonly headerName: string;
  readonly headerDomainOnly: boolean;
  readonly randomDraws: number;
  /** `hash-type` (manual 4.2): how a hash becomes a server, the function, the modifier; hash-balance-factor (0 = off). */
  readonly hashMethod: 'map-based' | 'consistent';
  readonly hashFunction: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none';
  readonly hashAvalanche: boolean;
  readonly hashBalanceFactor: number;
}

export interface ServerPlan {
  readonly index: number;
  readonly name: string;
  /** Numeric id (`id`, or counted from 1). */
  readonly id: number;
  /** Undefined when the name could not be resolved and `init-addr none` allows to start so: the server is then down (maintenance, MAINT (resolution)). */
  readonly address: SocketAddress | undefined;
  /** The port as written, 0 where `portOffset` says it; known even while there is no address. */
  readonly port: number;
  /** The name as written, when the address came from one. */
  readonly hostname: string | undefined;
  /** `server name addr:+N`: connect to the port the client used plus N. */
  readonly portOffset: number | undefined;
  readonly weight: number; // 0..256
  readonly backup: boolean;
  readonly disabled: boolean;
  readonly maxconn: number; // 0 = no limit
  readonly minconn: number;
  readonly maxqueue: number; // 0 = no limit
  readonly slowstartMs: number;
  readonly onMarkedDown: 'none' | 'shutdown-sessions';
  readonly onMarkedUp: 'none' | 'shutdown-backup-sessions';
  readonly poolMaxConn: number; // -1 = no limit, 0 = no pool
  readonly poolPurgeDelayMs: number;
  readonly source: SocketAddress | undefined;
  readonly check: CheckPlan | undefined;
  /** Index into the plan's `resolvers`, when the name is resolved again while running; -1 = never. */
  readonly resolvers: number;
  /** Family that is taken when a name resolved while running has both (`resolve-prefer`, HAProxy's default ipv6). */
  readonly resolvePrefer: 'ipv4' | 'ipv6';
  /** `track backend/server`. */
  readonly track: { readonly backend: number; readonly server: number } | undefined;
}

// ---------------------------------------------------------------- health checks

export interface CheckPlan {
  readonly kind: 'tcp' | 'http';
  /** Where the check goes, complete; undefined while the server has no address. */
  readonly address: SocketAddress | undefined;
  /** True without `addr`: when the server's address changes, the check goes to the new one, at `port` if that is given. */
  readonly followsServer: boolean;
  /** `port` as configured. */
  readonly port: number | undefined;
  readonly intervalMs: number; // inter, default 2000
  readonly fastIntervalMs: number; // fastinter, default inter
  readonly downIntervalMs: number; // downinter, default inter
  readonly rise: number; // default 2
  readonly fall: number; // default 3
  /** Bytes to send once connected (kind http), complete. */
  readonly request: Uint8Array;
  readonly expect: CheckExpectation | undefined;
  /** Further `http-check expect` rules; all must hold. */
  readonly expectAlso: readonly CheckExpectation[];
  /** Longest wait for the connection and for the answer: manual `timeout check`, else min(timeout connect, inter) and inter. */
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  /** True without `timeout check`: `responseTimeoutMs` then counts from the start of the check, connecting included. */
  readonly timeoutFromStart: boolean;
}

export interface CheckExpectation {
  readonly kind: 'status' | 'rstatus' | 'string' | 'rstring';
  readonly negate: boolean;
  /** The pattern as written. For `status`: ranges. */
  readonly pattern: string;
  readonly statuses: readonly (readonly [number, number])[];
}

// ---------------------------------------------------------------- resolvers

export interface ResolversPlan {
  readonly name: string;
  readonly nameservers: readonly { readonly name: string; readonly address: SocketAddress }[];
  readonly resolveRetries: number;
  readonly timeoutResolveMs: number;
  readonly timeoutRetryMs: number;
  readonly holdMs: Readonly<Record<'valid' | 'nx' | 'refused' | 'timeout' | 'other' | 'obsolete', number>>;
  /** `parse-resolv-conf`: the name servers of /etc/resolv.conf come after those above. */
  readonly parseResolvConf: boolean;
}
