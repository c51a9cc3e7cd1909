/** Asking the name servers of `resolvers` sections, by Node's resolver (c-ares), which asks them in their order. */
import { Resolver } from 'node:dns';
import { readFileSync } from 'node:fs';
import { formatSocketAddress, type IpFamily, parseIp } from '../core/address.ts';
import type { AnswerStatus, NameAnswer, NameServers } from '../engine/resolver.ts';
import type { ResolversPlan } from '../plan/balancer.ts';

/** @param sections of the plan; their indexes are those that `ask` is called with. */
export function nameServers(sections: readonly ResolversPlan[]): NameServers {
  const resolvers = sections.map(resolverOf);
  let closed = false;
  return {
    ask: (section, name, family, answered) => {
      const told = (error: NodeJS.ErrnoException | null, addresses: readonly string[]) => {
        if (!closed) answered(error === null ? found(family, addresses) : { status: statusOf(error.code) });
      };
      const resolver = resolvers[section]!;
      if (family === 'ipv4') resolver.resolve4(name, told);
      else resolver.resolve6(name, told);
    },
    close: () => {
      closed = true;
      for (const resolver of resolvers) resolver.cancel();
    },
  };
}

function resolverOf(section: ResolversPlan): Resolver {
  const { timeoutRetryMs, resolveRetries } = section;
  const resolver = new Resolver({ timeout: timeoutRetryMs, tries: resolveRetries, maxTimeout: timeoutRetryMs });
  const servers = section.nameservers.map(({ address }) => formatSocketAddress(address));
  if (section.parseResolvConf) servers.push(...systemNameServers());
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** The `nameserver` lines of resolv.conf(5). */
function systemNameServers(): readonly string[] {
  try {
    const lines = readFileSync('/etc/resolv.conf', 'utf8').split('\n');
    return lines.flatMap((line) => {
      const address = parseIp(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '');
      return address === undefined ? [] : [formatSocketAddress({ ...address, port: 53 })];
    });
  } catch {
    return [];
  }
}

function found(family: IpFamily, addresses: readonly string[]): NameAnswer {
  const valid = addresses.map((text) => parseIp(text)).filter((address) => address?.family === family);
  return valid.length === 0 ? { status: 'other' } : { status: 'valid', addresses: valid.map((address) => address!) };
}

function statusOf(code: string | undefined): Exclude<AnswerStatus, 'valid'> {
  switch (code) {
    case 'ENOTFOUND':
      return 'nx';
    case 'EREFUSED':
      return 'refused';
    case 'ETIMEOUT':
    case 'ECONNREFUSED': // No program at the name server's port: HAProxy, too, only hears nothing.
      return 'timeout';
    default:
      return 'other';
  }
}
