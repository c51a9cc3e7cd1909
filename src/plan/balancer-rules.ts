/** What is odd about a proxy as a whole: HAProxy's warnings about complete configurations. */
import type { BuildContext } from './balancer-world.ts';
import type { CompleteProxy } from './build-balancer.ts';

export function checkProxies(context: BuildContext, proxies: readonly CompleteProxy[]): void {
  for (const proxy of proxies) {
    if (proxy.settings.disabled?.value === true) continue;
    checkTimeouts(context, proxy);
    checkBinds(context, proxy);
    checkMode(context, proxy);
    checkHealthChecks(context, proxy);
  }
}

function checkTimeouts(context: BuildContext, { section, settings, mode, name }: CompleteProxy): void {
  const has = (key: 'client' | 'connect' | 'server' | 'tunnel'): boolean => (settings.timeouts[key]?.value ?? 0) > 0;
  const isFrontend = section.kind !== 'backend';
  const hasServers = section.kind !== 'frontend' && section.settings.servers.length > 0;
  const missing = [
    ...(isFrontend && !has('client') ? ['client'] : []),
    ...(hasServers && !has('connect') ? ['connect'] : []),
    ...(hasServers && !has('server') && (mode === 'http' || !has('tunnel')) ? ['server'] : []),
  ];
  if (missing.length === 0) return;
  context.warn(
    'incomplete',
    section.name.place,
    `missing timeouts for ${section.kind} '${name}': ${missing.map((one) => `'timeout ${one}'`).join(', ')}.`,
    "set 'timeout client', 'timeout connect' and 'timeout server' to a non-zero value, in 'defaults' for all",
  );
}

function checkBinds(context: BuildContext, { section, name }: CompleteProxy): void {
  if (section.kind === 'frontend' && section.settings.binds.length === 0)
    context.warn(
      'incomplete',
      section.name.place,
      `frontend '${name}' has no 'bind' directive. Please declare it as a backend if this was intended.`,
    );
}

/** Words that mean something in HTTP mode only are ignored in TCP mode, and HAProxy says so. */
function checkMode(context: BuildContext, { section, settings, mode, name }: CompleteProxy): void {
  if (mode === 'http') return;
  const needsHttp = (
    word: string,
    place: { readonly place: CompleteProxy['section']['name']['place'] } | undefined,
  ): void => {
    if (place !== undefined)
      context.warn(
        'ignored',
        place.place,
        `'${word}' ignored for ${section.kind} '${name}' as it requires HTTP mode.`,
        "write 'mode http'",
      );
  };
  const own = section.settings;
  needsHttp('option forwardfor', own.forwardFor);
  needsHttp('monitor-uri', own.monitorUri);
  const balance = settings.balance;
  if (
    balance !== undefined &&
    (balance.value.algorithm === 'uri' || balance.value.algorithm === 'hdr') &&
    section.kind !== 'frontend'
  )
    context.warn(
      'conflict',
      balance.place,
      `Layer 7 hash not possible for ${section.kind} '${name}' (needs 'mode http'). Falling back to round robin.`,
    );
}

function checkHealthChecks(context: BuildContext, { section, settings, name }: CompleteProxy): void {
  if (section.kind === 'frontend' || settings.checkKind?.value === 'http') return;
  const rule = section.settings.httpCheckSend ?? section.settings.httpCheckExpect[0];
  if (rule !== undefined)
    context.warn(
      'ignored',
      rule.place,
      `${section.kind} '${name}' uses http-check rules without 'option httpchk', so the rules are ignored.`,
    );
}
