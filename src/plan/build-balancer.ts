/**
 * Config → Plan for the balancer: defaults merged and filled in, names resolved, references turned into indexes, everything frozen.
 * A Plan exists only when nothing is wrong; otherwise the diagnostics tell all that is.
 */
import type { Diagnostic } from '../config/diagnostic.ts';
import type { HaproxyConfig, ProxySection, ProxySettings } from '../config/haproxy/config.ts';
import { suggest } from '../config/suggest.ts';
import type {
  BackendPlan,
  BalancePlan,
  BalancerPlan,
  ForwardForPlan,
  FrontendPlan,
  GlobalPlan,
  Mode,
  ServerPlan,
  Timeouts,
} from './balancer.ts';
import { bindPlans } from './balancer-binds.ts';
import { bufferBytesDefault, globalPlan, resolversPlan } from './balancer-global.ts';
import { inheritedSettings } from './balancer-inherit.ts';
import { LogTargets, proxyLog } from './balancer-logs.ts';
import { errorPageFault } from './balancer-pages.ts';
import { checkProxies } from './balancer-rules.ts';
import { serverNames, serverPlans } from './balancer-servers.ts';
import { type BalancerWorld, BuildContext } from './balancer-world.ts';

export interface BuiltBalancer {
  /** Undefined when a diagnostic is an alert, here or of the parser. */
  readonly plan: BalancerPlan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Manual 4.2 retries. */
const retriesDefault = 3;

/** Length of the kernel's queue when neither `backlog` nor `maxconn` says one (HAProxy's listener_backlog). */
const backlogDefault = 1024;

export function buildBalancerPlan(config: HaproxyConfig, world: BalancerWorld): BuiltBalancer {
  const context = new BuildContext(world, config.damaged);
  const builder = new Builder(context, config);
  const plan = builder.build();
  const zeroWarning = config.global.zeroWarning;
  const warned = config.warned || context.diagnostics.some((one) => one.severity === 'warning');
  if (zeroWarning !== undefined && warned)
    context.alert('conflict', zeroWarning.place, "some warnings were found and 'zero-warning' is set. Aborting.");
  const failed = config.damaged || context.diagnostics.some((one) => one.severity === 'alert');
  return { plan: failed ? undefined : deepFreeze(plan), diagnostics: context.diagnostics };
}

/** A proxy with everything inherited. */
export interface CompleteProxy {
  readonly section: ProxySection;
  readonly settings: ProxySettings;
  readonly mode: Mode;
  readonly name: string;
}

class Builder {
  readonly #context: BuildContext;
  readonly #config: HaproxyConfig;
  readonly #logs: LogTargets;
  readonly #frontends: readonly CompleteProxy[];
  readonly #backends: readonly CompleteProxy[];

  constructor(context: BuildContext, config: HaproxyConfig) {
    this.#context = context;
    this.#config = config;
    this.#logs = new LogTargets(context, config.global);
    const proxies = config.proxies.map((section): CompleteProxy => {
      const settings = inheritedSettings(section);
      return { section, settings, mode: settings.mode?.value ?? 'tcp', name: section.name.value };
    });
    this.#frontends = proxies.filter(({ section }) => section.kind !== 'backend');
    this.#backends = proxies.filter(({ section }) => section.kind !== 'frontend');
    checkProxies(context, proxies);
  }

  build(): BalancerPlan {
    const resolvers = this.#config.resolvers.map((section) => resolversPlan(this.#context, section));
    const global = globalPlan(this.#context, this.#config, this.#logs);
    const frontends = this.#frontends.map((proxy, index) => this.#frontend(proxy, index));
    const backends = this.#backends.map((proxy, index) => this.#backend(proxy, index, frontends, global));
    if (frontends.every((frontend) => frontend.disabled || frontend.binds.length === 0))
      this.#context.alert(
        'incomplete',
        this.#frontends[0]?.section.name.place ?? { file: 'configuration', line: 0, column: 0, length: 0 },
        "no enabled listener found (check for 'bind' directives).",
      );
    return { global, frontends, backends: this.#withTracks(backends), logTargets: this.#logs.targets, resolvers };
  }

  #frontend(proxy: CompleteProxy, index: number): FrontendPlan {
    const { section, settings, mode, name } = proxy;
    const maxconn = settings.maxconn?.value ?? 0;
    const backlog = settings.backlog?.value || maxconn || backlogDefault;
    const binds = bindPlans(this.#context, section.settings.binds, { maxconn, backlog });
    return {
      index,
      name,
      mode,
      disabled: settings.disabled?.value ?? false,
      binds,
      // With several sockets none of them has a limit of its own (balancer-binds.ts).
      maxconn: lowerLimit(maxconn, binds[0]?.maxconn ?? 0),
      backlog,
      backend: this.#backendOf(proxy),
      timeouts: timeouts(settings),
      connectionMode: settings.connectionMode?.value ?? 'keep-alive',
      clientKeepAlive: settings.switches.clitcpka?.value ?? false,
      nolinger: settings.switches.nolinger?.value ?? false,
      forwardFor: forwardFor(proxy),
      log: proxyLog(this.#context, name, settings, mode, this.#config.global, this.#logs, 'frontend'),
      errorFiles: this.#errorFiles(settings),
      ignoreProbes: settings.switches['http-ignore-probes']?.value ?? false,
      monitorUri: mode === 'http' ? settings.monitorUri?.value : undefined,
    };
  }

  #backend(proxy: CompleteProxy, index: number, frontends: readonly FrontendPlan[], global: GlobalPlan): BackendPlan {
    const { section, settings, mode, name } = proxy;
    const feeding = frontends.filter((frontend) => frontend.backend === index);
    return {
      index,
      name,
      mode,
      disabled: settings.disabled?.value ?? false,
      servers: serverPlans(this.#context, section, settings, (wanted) => this.#resolversIndex(wanted)),
      balance: balancePlan(settings, mode),
      timeouts: timeouts(settings),
      retries: settings.retries?.value ?? retriesDefault,
      redispatch: settings.redispatch?.value ?? 0,
      freeRedispatch: settings.redispatch === undefined,
      connectionMode: settings.connectionMode?.value ?? 'keep-alive',
      reuse: settings.reuse?.value ?? 'safe',
      serverKeepAlive: settings.switches.srvtcpka?.value ?? false,
      nolinger: settings.switches.nolinger?.value ?? false,
      abortOnClose: settings.switches.abortonclose?.value ?? false,
      allBackups: settings.switches.allbackups?.value ?? false,
      forwardFor: forwardFor(proxy),
      fullconn: settings.fullconn?.value || fullconnDefault(feeding, global),
      log: proxyLog(this.#context, name, settings, mode, this.#config.global, this.#logs, 'backend'),
      logHealthChecks: settings.switches['log-health-checks']?.value ?? false,
      errorFiles: this.#errorFiles(settings),
      source:
        settings.source === undefined
          ? undefined
          : this.#context.socketAddress(settings.source.value, settings.source.place, 0),
    };
  }

  /** The first unconditional `use_backend`, else `default_backend`, else for `listen` its own servers. */
  #backendOf(proxy: CompleteProxy): number {
    const { section, settings } = proxy;
    const rule = settings.useBackends[0];
    const wanted = rule ?? settings.defaultBackend;
    if (wanted === undefined) return section.kind === 'listen' ? this.#backends.indexOf(proxy) : -1;
    const index = this.#backends.findIndex(({ name }) => name === wanted.value);
    const word = rule === undefined ? 'default_backend' : 'use_backend';
    if (index < 0) this.#missingBackend(proxy, word, wanted.value, wanted.place);
    else if (this.#backends[index] === proxy)
      this.#context.alert(
        'conflict',
        wanted.place,
        `Proxy '${proxy.name}': loop detected for ${word}: '${wanted.value}'.`,
      );
    else this.#checkModes(proxy, this.#backends[index]!, word, wanted.place);
    return index;
  }

  #missingBackend(proxy: CompleteProxy, word: string, name: string, place: Diagnostic['place']): void {
    const isFrontend = this.#frontends.some((one) => one.name === name);
    this.#context.alert(
      'missing-reference',
      place,
      `Proxy '${proxy.name}': unable to find required ${word}: '${name}'.`,
      isFrontend ? `'${name}' is a frontend` : nearestName(name, this.#backends),
    );
  }

  #checkModes(proxy: CompleteProxy, target: CompleteProxy, word: string, place: Diagnostic['place']): void {
    if (proxy.mode === target.mode) return;
    if (proxy.mode === 'tcp')
      this.#context.alert(
        'unsupported-word',
        place,
        `tcp frontend '${proxy.name}' with http backend '${target.name}' in a '${word}' rule is not supported yet.`,
        "write 'mode http' in the frontend",
      );
    else
      this.#context.alert(
        'conflict',
        place,
        `http frontend '${proxy.name}' tries to use incompatible tcp backend '${target.name}' in a '${word}' rule (see 'mode').`,
      );
  }

  #resolversIndex(name: string): number {
    return this.#config.resolvers.findIndex((one) => one.name.value === name);
  }

  /** `track [<backend>/]<server>`, once every server has its index. */
  #withTracks(backends: readonly BackendPlan[]): readonly BackendPlan[] {
    return backends.map((backend) => {
      const { settings } = this.#backends[backend.index]!.section;
      const lines = new Map<string, ServerPlan['track']>();
      for (const line of settings.servers) {
        const track = line.settings.track ?? line.defaults.track;
        if (track === undefined) continue;
        const tracked = this.#tracked(backends, backend, line.name.value, track);
        for (const name of serverNames(line)) lines.set(name, tracked);
      }
      if (lines.size === 0) return backend;
      return { ...backend, servers: backend.servers.map((server) => ({ ...server, track: lines.get(server.name) })) };
    });
  }

  #tracked(
    backends: readonly BackendPlan[],
    own: BackendPlan,
    server: string,
    track: { readonly value: string; readonly place: Diagnostic['place'] },
  ): ServerPlan['track'] {
    const slash = track.value.lastIndexOf('/');
    const backend = slash < 0 ? own : backends.find((one) => one.name === track.value.slice(0, slash));
    const found = backend?.servers.find((one) => one.name === track.value.slice(slash + 1));
    if (backend === undefined || found === undefined || found.check === undefined) {
      this.#context.alert(
        'missing-reference',
        track.place,
        `backend '${own.name}', server '${server}': unable to use '${track.value}' for tracking: ${found === undefined ? 'no such server' : 'its checks are not enabled'}.`,
      );
      return undefined;
    }
    return { backend: backend.index, server: found.index };
  }

  #errorFiles(settings: ProxySettings): ReadonlyMap<number, Uint8Array> {
    const pages = new Map<number, Uint8Array>();
    const bytesMax = this.#config.global.bufferBytes?.value ?? bufferBytesDefault;
    for (const { status, path, place } of settings.errorFiles) {
      const content = this.#context.world.readFile(path);
      const fault = typeof content === 'string' ? undefined : errorPageFault(content, bytesMax);
      if (typeof content === 'string')
        this.#context.alert('unreadable-file', place, `errorfile : error opening file '${path}' (${content}).`);
      else if (fault !== undefined) this.#context.alert('bad-value', place, `errorfile : '${path}': ${fault}.`);
      else pages.set(status, content);
    }
    return pages;
  }
}

/** Times that follow another one when they are missing are filled in here (manual 4.2, each timeout's "default"). */
function timeouts({ timeouts: written }: ProxySettings): Timeouts {
  const of = (name: keyof Timeouts, fallback: number): number => written[name]?.value ?? fallback;
  const client = of('client', 0);
  const connect = of('connect', 0);
  const server = of('server', 0);
  const httpRequest = of('httpRequest', client);
  return {
    client,
    clientFin: of('clientFin', client),
    httpRequest,
    httpKeepAlive: of('httpKeepAlive', httpRequest),
    connect,
    queue: of('queue', connect),
    server,
    serverFin: of('serverFin', server),
    tunnel: of('tunnel', 0),
    check: of('check', 0),
    tarpit: of('tarpit', connect),
  };
}

/** The lower of two limits, of which 0 is none. */
function lowerLimit(one: number, other: number): number {
  return one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other);
}

/** Manual 4.2 fullconn: a tenth of the maxconn of the frontends that use the backend. */
function fullconnDefault(frontends: readonly FrontendPlan[], global: GlobalPlan): number {
  const sum = frontends.reduce((total, frontend) => total + (frontend.maxconn || global.maxconn), 0);
  return Math.ceil(sum / 10);
}

function forwardFor({ settings, mode }: CompleteProxy): ForwardForPlan | undefined {
  return mode === 'http' ? settings.forwardFor?.value : undefined;
}

function balancePlan(settings: ProxySettings, mode: Mode): BalancePlan {
  const written = settings.balance?.value;
  const layer7 = written?.algorithm === 'uri' || written?.algorithm === 'hdr';
  const hash = settings.hashType?.value;
  return {
    uriWhole: written?.uriWhole ?? false,
    uriLength: written?.uriLength ?? 0,
    uriDepth: written?.uriDepth ?? 0,
    uriPathOnly: written?.uriPathOnly ?? false,
    headerName: written?.headerName ?? '',
    headerDomainOnly: written?.headerDomainOnly ?? false,
    randomDraws: written?.randomDraws ?? 2,
    algorithm: layer7 && mode === 'tcp' ? 'roundrobin' : (written?.algorithm ?? 'roundrobin'),
    hashMethod: hash?.method ?? 'map-based',
    hashFunction: hash?.function ?? 'sdbm',
    hashAvalanche: hash?.avalanche ?? false,
    hashBalanceFactor: settings.hashBalanceFactor?.value ?? 0,
  };
}

function nearestName(name: string, proxies: readonly CompleteProxy[]): string | undefined {
  const near = suggest(
    name,
    proxies.map((one) => one.name),
  );
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

/** Freezes all the way down. Byte arrays can't be frozen and are left; nobody writes into the Plan's. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
