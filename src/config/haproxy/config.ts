/**
 * HAProxy's configuration as typed values, each with the place where it was written. Nothing is merged or resolved here:
 * a field that is missing was not written in that section. `src/plan/` turns this into the Plan.
 */
import type { IpFamily, IpPrefix } from '../../core/address.ts';
import type { Place } from '../diagnostic.ts';

export interface Placed<T> {
  readonly value: T;
  readonly place: Place;
}

export interface HaproxyConfig {
  readonly global: GlobalSettings;
  /** All `frontend`, `backend` and `listen` sections in the order of the files. */
  readonly proxies: readonly ProxySection[];
  readonly resolvers: readonly ResolversSection[];
  /** A line was refused: what seems to be missing may have been written there. */
  readonly damaged: boolean;
  /** There were warnings (for `zero-warning`). */
  readonly warned: boolean;
}

// ---------------------------------------------------------------- addresses

/** An address as written (manual 11 "Address formats"), a name not yet resolved. */
export type WrittenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'inet';
      /** '' and '*' mean every address of the family. */
      readonly host: string;
      /** Forced by a prefix such as `ipv6@`. */
      readonly family: IpFamily | undefined;
      /** Undefined when none was written. */
      readonly port: PortRange | undefined;
    };

export interface PortRange {
  readonly first: number;
  readonly last: number;
  /** A signed number was written (`:+10`): an offset to the port that the client used. */
  readonly relative: boolean;
}

// ---------------------------------------------------------------- global

export interface GlobalSettings {
  maxconn?: Placed<number>;
  nbthread?: Placed<number>;
  cpuMaps: { threads: readonly [number, number]; auto: boolean; cpus: readonly number[]; place: Place }[];
  daemon?: Placed<boolean>;
  pidfile?: Placed<string>;
  user?: Placed<string>;
  group?: Placed<string>;
  uid?: Placed<number>;
  gid?: Placed<number>;
  ulimitN?: Placed<number>;
  hardStopAfterMs?: Placed<number>;
  graceMs?: Placed<number>;
  spreadChecksPercent?: Placed<number>;
  maxSpreadChecksMs?: Placed<number>;
  node?: Placed<string>;
  description?: Placed<string>;
  bufferBytes?: Placed<number>;
  maxRewriteBytes?: Placed<number>;
  headerFieldsMax?: Placed<number>;
  logTag?: Placed<string>;
  /** '' = the machine's own name. */
  logSendHostname?: Placed<string>;
  quiet?: Placed<boolean>;
  zeroWarning?: Placed<boolean>;
  /** The first line with a default of TLS sockets. */
  tlsDefaults?: Placed<true>;
  logs: LogLine[];
}

// ---------------------------------------------------------------- logs

export interface LogLine {
  readonly address: WrittenAddress | { readonly kind: 'fd'; readonly fd: 1 | 2 };
  readonly length: number;
  readonly format: SyslogFormatName | undefined;
  readonly sample: { readonly ranges: readonly (readonly [number, number])[]; readonly size: number } | undefined;
  readonly facility: number;
  readonly level: number;
  readonly minLevel: number;
  readonly place: Place;
}

export const syslogFormats = ['rfc3164', 'rfc5424', 'local', 'priority', 'short', 'timed', 'iso', 'raw'] as const;
export type SyslogFormatName = (typeof syslogFormats)[number];

/** What a proxy's `log` lines say, in their order: `no log` forgets what was before it, inherited lines too. */
export type ProxyLogStep =
  | { readonly kind: 'line'; readonly line: LogLine }
  /** `log global`: the lines that `global` had at that moment. */
  | { readonly kind: 'global'; readonly count: number; readonly place: Place }
  | { readonly kind: 'none' };

// ---------------------------------------------------------------- proxies

export type ProxyKind = 'defaults' | 'frontend' | 'backend' | 'listen';

export interface ProxySection {
  readonly kind: ProxyKind;
  readonly name: Placed<string>;
  /** The `defaults` section whose settings this one starts from. */
  readonly base: ProxySection | undefined;
  readonly settings: ProxySettings;
}

export type TimeoutName =
  | 'client'
  | 'clientFin'
  | 'httpRequest'
  | 'httpKeepAlive'
  | 'connect'
  | 'queue'
  | 'server'
  | 'serverFin'
  | 'tunnel'
  | 'check'
  | 'tarpit';

/** Options that are simply on or off; the names are HAProxy's. */
export type SwitchName =
  | 'abortonclose'
  | 'allbackups'
  | 'clitcpka'
  | 'dontlog-normal'
  | 'dontlognull'
  | 'http-ignore-probes'
  | 'log-health-checks'
  | 'log-separate-errors'
  | 'logasap'
  | 'nolinger'
  | 'splice-auto'
  | 'splice-request'
  | 'splice-response'
  | 'srvtcpka';

export type LogFormatSetting =
  | { readonly kind: 'httplog' }
  | { readonly kind: 'httplog-clf' }
  | { readonly kind: 'tcplog' }
  | { readonly kind: 'custom'; readonly text: string };

export interface HttpCheckLine {
  /** Undefined where the line doesn't set it (`http-check send` sets only what it names). */
  readonly method: string | undefined;
  readonly uri: string | undefined;
  readonly version: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | undefined;
  readonly place: Place;
}

export interface ExpectLine {
  readonly kind: 'status' | 'rstatus' | 'string' | 'rstring';
  readonly negate: boolean;
  readonly pattern: string;
  readonly statuses: readonly (readonly [number, number])[];
  readonly place: Place;
}

export interface BalanceSetting {
  readonly algorithm: 'roundrobin' | 'static-rr' | 'leastconn' | 'first' | 'source' | 'uri' | 'hdr' | 'random';
  readonly uriWhole: boolean;
  readonly uriLength: number;
  readonly uriDepth: number;
  readonly uriPathOnly: boolean;
  readonly headerName: string;
  readonly headerDomainOnly: boolean;
  readonly randomDraws: number;
}

export interface HashTypeSetting {
  readonly method: 'map-based' | 'consistent';
  readonly function: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none' | undefined;
  readonly avalanche: boolean;
}

export interface ForwardForSetting {
  readonly header: string;
  readonly ifNone: boolean;
  readonly except: IpPrefix | undefined;
}

export interface ProxySettings {
  mode?: Placed<'http' | 'tcp'>;
  disabled?: Placed<boolean>;
  description?: Placed<string>;
  binds: BindLine[];
  servers: ServerLine[];
  /** `default-server`, all lines of the section merged. */
  serverDefaults: ServerSettings;
  timeouts: { [name in TimeoutName]?: Placed<number> };
  switches: { [name in SwitchName]?: Placed<boolean> };
  maxconn?: Placed<number>;
  backlog?: Placed<number>;
  fullconn?: Placed<number>;
  retries?: Placed<number>;
  /** As in the Plan: 0 = off, -1 = on the last retry, N = on every Nth, -N = N before the last. */
  redispatch?: Placed<number>;
  connectionMode?: Placed<'keep-alive' | 'server-close' | 'close'>;
  reuse?: Placed<'never' | 'safe' | 'aggressive' | 'always'>;
  balance?: Placed<BalanceSetting>;
  hashType?: Placed<HashTypeSetting>;
  hashBalanceFactor?: Placed<number>;
  forwardFor?: Placed<ForwardForSetting>;
  defaultBackend?: Placed<string>;
  useBackends: Placed<string>[];
  logs: ProxyLogStep[];
  logFormat?: Placed<LogFormatSetting>;
  logTag?: Placed<string>;
  errorFiles: { readonly status: number; readonly path: string; readonly place: Place }[];
  /** What a health check does beyond connecting; the request line comes from `option httpchk`. */
  checkKind?: Placed<'tcp' | 'http'>;
  httpCheckOption?: HttpCheckLine;
  httpCheckSend?: HttpCheckLine;
  httpCheckExpect: ExpectLine[];
  source?: Placed<WrittenAddress>;
  monitorUri?: Placed<string>;
}

// ---------------------------------------------------------------- bind

/** One `bind` line; each of its addresses, and each port of a range, becomes a socket of its own. */
export interface BindLine {
  readonly addresses: readonly Placed<WrittenAddress>[];
  readonly settings: BindSettings;
  readonly place: Place;
}

export interface BindSettings {
  name?: Placed<string>;
  maxconn?: Placed<number>;
  backlog?: Placed<number>;
  v6only?: Placed<boolean>;
  transparent?: Placed<boolean>;
  interface?: Placed<string>;
  mode?: Placed<number>;
  uid?: Placed<number>;
  gid?: Placed<number>;
  user?: Placed<string>;
  group?: Placed<string>;
  deferAccept?: Placed<boolean>;
  tcpUserTimeoutMs?: Placed<number>;
}

// ---------------------------------------------------------------- server

export interface ServerLine {
  readonly name: Placed<string>;
  readonly address: Placed<WrittenAddress>;
  /** `server-template`: the numbers that are appended to the name. */
  readonly numbers: readonly [number, number] | undefined;
  readonly settings: ServerSettings;
  /** What the `default-server` lines above this one said. */
  readonly defaults: ServerSettings;
  readonly place: Place;
}

export type InitAddrStep = { readonly kind: 'last' | 'libc' | 'none' } | { readonly kind: 'ip'; readonly host: string };

export interface ServerSettings {
  check?: Placed<boolean>;
  checkPort?: Placed<number>;
  checkAddress?: Placed<WrittenAddress>;
  intervalMs?: Placed<number>;
  fastIntervalMs?: Placed<number>;
  downIntervalMs?: Placed<number>;
  rise?: Placed<number>;
  fall?: Placed<number>;
  weight?: Placed<number>;
  backup?: Placed<boolean>;
  disabled?: Placed<boolean>;
  maxconn?: Placed<number>;
  minconn?: Placed<number>;
  maxqueue?: Placed<number>;
  slowstartMs?: Placed<number>;
  onMarkedDown?: Placed<'shutdown-sessions'>;
  onMarkedUp?: Placed<'shutdown-backup-sessions'>;
  initAddr?: Placed<readonly InitAddrStep[]>;
  resolvers?: Placed<string>;
  resolvePrefer?: Placed<IpFamily>;
  id?: Placed<number>;
  source?: Placed<WrittenAddress>;
  track?: Placed<string>;
  poolMaxConn?: Placed<number>;
  poolPurgeDelayMs?: Placed<number>;
}

// ---------------------------------------------------------------- resolvers

export const holdStates = ['valid', 'nx', 'refused', 'timeout', 'other', 'obsolete'] as const;
export type HoldState = (typeof holdStates)[number];

export interface ResolversSection {
  readonly name: Placed<string>;
  readonly nameservers: { readonly name: string; readonly address: WrittenAddress; readonly place: Place }[];
  readonly settings: ResolversSettings;
}

export interface ResolversSettings {
  resolveRetries?: Placed<number>;
  timeoutResolveMs?: Placed<number>;
  timeoutRetryMs?: Placed<number>;
  holdMs: { [state in HoldState]?: Placed<number> };
  parseResolvConf?: Placed<boolean>;
}
