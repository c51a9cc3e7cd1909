/** Servers of the Plan: templates spelled out, `default-server` merged, addresses resolved (`init-addr`), references by index. */
import type {
  InitAddrStep,
  ProxySection,
  ProxySettings,
  ServerLine,
  ServerSettings,
} from '../config/haproxy/config.ts';
import { parseIp, type SocketAddress } from '../core/address.ts';
import type { ServerPlan } from './balancer.ts';
import { checkPlan } from './balancer-checks.ts';
import type { BuildContext } from './balancer-world.ts';

/** Manual 5.2 pool-purge-delay. */
const poolPurgeDelayDefaultMs = 5000;

/** Finds the index of a `resolvers` section by its name, -1 when there is none. */
export type ResolversIndex = (name: string) => number;

export function serverPlans(
  context: BuildContext,
  section: ProxySection,
  settings: ProxySettings,
  resolversIndex: ResolversIndex,
): readonly ServerPlan[] {
  const servers: ServerPlan[] = [];
  const places = new Map<string, ServerLine>();
  const ids = new Set<number>();
  for (const line of section.settings.servers) if (line.settings.id !== undefined) ids.add(line.settings.id.value);
  let nextId = 1;
  for (const line of section.settings.servers) {
    const resolved = resolveServer(context, section, line, resolversIndex);
    for (const name of serverNames(line)) {
      const before = places.get(name);
      if (before !== undefined)
        context.alert(
          'duplicate',
          line.name.place,
          `proxy '${section.name.value}', another server named '${name}' was already defined at line ${before.place.line}, please use distinct names.`,
        );
      places.set(name, line);
      let id = line.numbers === undefined ? line.settings.id?.value : undefined;
      if (id === undefined) {
        while (ids.has(nextId)) nextId++;
        id = nextId;
        ids.add(id);
      }
      nextId++; // As HAProxy counts: servers with an `id` of their own take a number too.
      servers.push({ ...serverPlan(context, settings, line, resolved), index: servers.length, name, id });
    }
  }
  return servers;
}

/** The names that a line gives to servers: one, or one for each number of a template. */
export function serverNames(line: ServerLine): readonly string[] {
  if (line.numbers === undefined) return [line.name.value];
  const [first, last] = line.numbers;
  return Array.from({ length: last - first + 1 }, (_, index) => `${line.name.value}${first + index}`);
}

interface ResolvedServer {
  readonly merged: ServerSettings;
  readonly address: SocketAddress | undefined;
  readonly port: number;
  readonly hostname: string | undefined;
  readonly portOffset: number | undefined;
  readonly resolvers: number;
}

function resolveServer(
  context: BuildContext,
  section: ProxySection,
  line: ServerLine,
  resolversIndex: ResolversIndex,
): ResolvedServer {
  const merged: ServerSettings = { ...line.defaults, ...line.settings };
  const written = line.address.value;
  const resolvers = merged.resolvers === undefined ? -1 : resolversIndex(merged.resolvers.value);
  if (merged.resolvers !== undefined && resolvers < 0)
    context.alert(
      'missing-reference',
      merged.resolvers.place,
      `${section.kind} '${section.name.value}', server '${line.name.value}': unable to find required resolvers '${merged.resolvers.value}'.`,
      'declare a resolvers section of that name',
    );
  if (written.kind === 'unix')
    return {
      merged,
      address: { family: 'unix', path: written.path },
      port: 0,
      hostname: undefined,
      portOffset: undefined,
      resolvers: -1,
    };
  if (written.host === '' || written.host === '*' || written.host === '0.0.0.0' || written.host === '::') {
    context.alert(
      'unsupported-word',
      line.address.place,
      `server '${line.name.value}' : connecting to the address that the client used is not supported yet.`,
      "write the server's address",
    );
    return { merged, address: undefined, port: 0, hostname: undefined, portOffset: undefined, resolvers };
  }
  const portOffset = written.port === undefined ? 0 : written.port.relative ? written.port.first : undefined;
  const port = portOffset === undefined ? written.port!.first : 0;
  const literal = parseIp(written.host);
  const ip = literal ?? initialAddress(context, line, merged.initAddr?.value ?? [{ kind: 'last' }, { kind: 'libc' }]);
  const address = ip === undefined ? undefined : { family: ip.family, host: ip.host, port };
  return {
    merged,
    address,
    port,
    hostname: literal === undefined ? written.host : undefined,
    portOffset,
    resolvers: literal === undefined ? resolvers : -1,
  };
}

/** Manual 5.2 init-addr: each method in turn. There is no state file, so `last` never has an answer. */
function initialAddress(
  context: BuildContext,
  line: ServerLine,
  steps: readonly InitAddrStep[],
): { family: 'ipv4' | 'ipv6'; host: string } | undefined {
  const written = line.address.value;
  if (written.kind !== 'inet') return undefined;
  for (const step of steps) {
    if (step.kind === 'none') return undefined;
    if (step.kind === 'ip') return parseIp(step.host);
    if (step.kind === 'libc') {
      const found = context.host(written.host, written.family);
      if (found !== undefined) return found;
    }
  }
  context.alert(
    'unresolvable',
    line.address.place,
    `server '${line.name.value}' : could not resolve address '${written.host}'.`,
    "write an IP address, or 'init-addr last,libc,none' to start without it",
  );
  return undefined;
}

function serverPlan(
  context: BuildContext,
  settings: ProxySettings,
  line: ServerLine,
  { merged, address, port, hostname, portOffset, resolvers }: ResolvedServer,
): Omit<ServerPlan, 'index' | 'name' | 'id'> {
  // HAProxy: minconn alone, or above maxconn, becomes maxconn; maxconn alone is also minconn.
  const maxconn = Math.max(merged.maxconn?.value ?? 0, merged.minconn?.value ?? 0);
  const minconn = Math.min(merged.minconn?.value || maxconn, maxconn);
  const source = merged.source ?? settings.source;
  return {
    address,
    port,
    hostname,
    portOffset,
    weight: merged.weight?.value ?? 1,
    backup: merged.backup?.value ?? false,
    disabled: merged.disabled?.value ?? false,
    maxconn,
    minconn,
    maxqueue: merged.maxqueue?.value ?? 0,
    slowstartMs: merged.slowstartMs?.value ?? 0,
    onMarkedDown: merged.onMarkedDown?.value ?? 'none',
    onMarkedUp: merged.onMarkedUp?.value ?? 'none',
    poolMaxConn: merged.poolMaxConn?.value ?? -1,
    poolPurgeDelayMs: merged.poolPurgeDelayMs?.value ?? poolPurgeDelayDefaultMs,
    source: source === undefined ? undefined : context.socketAddress(source.value, source.place, 0),
    check: serverCheck(context, settings, line, merged, address, portOffset),
    resolvers,
    resolvePrefer:
      merged.resolvePrefer?.value ??
      (line.address.value.kind === 'inet' ? line.address.value.family : undefined) ??
      'ipv6',
    track: undefined, // The builder fills it in once every backend is known.
  };
}

function serverCheck(
  context: BuildContext,
  settings: ProxySettings,
  line: ServerLine,
  merged: ServerSettings,
  address: SocketAddress | undefined,
  portOffset: number | undefined,
): ServerPlan['check'] {
  if (merged.check?.value !== true || merged.track !== undefined) return undefined;
  const written = merged.checkAddress;
  const host = written === undefined ? address : context.socketAddress(written.value, written.place, 0);
  if (host === undefined || host.family === 'unix') return checkPlan(settings, merged, host);
  const serverPort = address !== undefined && address.family !== 'unix' && portOffset === undefined ? address.port : 0;
  const port = merged.checkPort?.value || (written === undefined ? 0 : host.port) || serverPort;
  if (port === 0)
    context.alert(
      'incomplete',
      merged.check.place,
      `server '${line.name.value}' has neither service port nor check port.`,
      "write a port behind the address, or 'port <number>' for the checks",
    );
  return checkPlan(settings, merged, { family: host.family, host: host.host, port });
}
