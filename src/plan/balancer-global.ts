/** The process-wide part of the Plan, and the `resolvers` sections. */
import type { GlobalSettings, HaproxyConfig, HoldState, ResolversSection } from '../config/haproxy/config.ts';
import type { GlobalPlan, ResolversPlan } from './balancer.ts';
import type { LogTargets } from './balancer-logs.ts';
import type { BuildContext } from './balancer-world.ts';

/** HAProxy's own defaults: tune.bufsize, tune.maxrewrite, tune.http.maxhdr. */
export const bufferBytesDefault = 16_384;
const maxRewriteBytesDefault = 1024;
const headerFieldsDefault = 101;

/** HAProxy 2.6 on 64-bit machines runs at most 64 threads. */
const threadsMax = 64;

export function globalPlan(context: BuildContext, { global }: HaproxyConfig, targets: LogTargets): GlobalPlan {
  const tag = global.logTag?.value ?? 'haproxy';
  const nbthread = global.nbthread?.value ?? Math.max(1, Math.min(context.world.processors, threadsMax));
  const bufferBytes = global.bufferBytes?.value ?? bufferBytesDefault;
  // As HAProxy: at most half of the buffer, whatever is written.
  const maxRewriteBytes = Math.min(
    global.maxRewriteBytes?.value ?? maxRewriteBytesDefault,
    Math.floor(bufferBytes / 2),
  );
  return {
    maxconn: global.maxconn?.value ?? 0,
    nbthread,
    cpuMap: cpuMap(global, nbthread),
    daemon: global.daemon?.value ?? false,
    quiet: global.quiet?.value ?? false,
    pidfile: global.pidfile?.value,
    user: global.user?.value,
    group: global.group?.value,
    uid: global.uid?.value,
    gid: global.gid?.value,
    ulimitN: global.ulimitN?.value ?? 0,
    hardStopAfterMs: global.hardStopAfterMs?.value ?? 0,
    graceMs: global.graceMs?.value ?? 0,
    spreadChecksPercent: global.spreadChecksPercent?.value ?? 0,
    maxSpreadChecksMs: global.maxSpreadChecksMs?.value ?? 0,
    node: global.node?.value ?? context.world.hostname,
    description: global.description?.value ?? '',
    bufferBytes,
    maxRewriteBytes,
    headerFieldsMax: global.headerFieldsMax?.value ?? headerFieldsDefault,
    logs: [...new Set(global.logs.flatMap((line) => targets.add(line, tag) ?? []))],
  };
}

/** `cpu-map`: the later line counts; with `auto:` the CPUs are dealt out to the threads in turn. */
function cpuMap(global: GlobalSettings, nbthread: number): (readonly number[] | undefined)[] {
  const map = new Array<readonly number[] | undefined>(nbthread).fill(undefined);
  for (const { threads, auto, cpus } of global.cpuMaps) {
    const [first, last] = threads;
    for (let thread = first; thread <= Math.min(last, nbthread); thread++)
      map[thread - 1] = auto ? [cpus[(thread - first) % cpus.length]!] : [...new Set(cpus)];
  }
  return map;
}

/** Manual 5.3.2: hold, resolve_retries, timeout, accepted_payload_size. */
const holdDefaultsMs: Readonly<Record<HoldState, number>> = {
  valid: 10_000,
  nx: 30_000,
  refused: 30_000,
  timeout: 30_000,
  other: 30_000,
  obsolete: 0,
};

export function resolversPlan(context: BuildContext, { name, nameservers, settings }: ResolversSection): ResolversPlan {
  const holdMs = { ...holdDefaultsMs };
  for (const state of Object.keys(holdMs) as HoldState[])
    holdMs[state] = settings.holdMs[state]?.value ?? holdMs[state];
  return {
    name: name.value,
    nameservers: nameservers.flatMap((one) => {
      const address = context.socketAddress(one.address, one.place, 0);
      return address === undefined ? [] : [{ name: one.name, address }];
    }),
    resolveRetries: settings.resolveRetries?.value ?? 3,
    timeoutResolveMs: settings.timeoutResolveMs?.value ?? 1000,
    timeoutRetryMs: settings.timeoutRetryMs?.value ?? 1000,
    holdMs,
    parseResolvConf: settings.parseResolvConf?.value ?? false,
  };
}
