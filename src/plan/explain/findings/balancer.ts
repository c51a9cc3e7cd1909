/** haproxy.cfg beside keepalived.conf: where one needs what the other doesn't give. */

import type { BindLine, HaproxyConfig, Placed, ServerLine, WrittenAddress } from '../../../config/haproxy/config.ts';
import { parseIp } from '../../../core/address.ts';
import type { VirtualAddress } from '../../../core/vrrp/settings.ts';
import type { Member } from '../cluster.ts';
import { trackersOf } from '../trackers.ts';
import { definition } from './checks.ts';
import { type Finding, type FindingContext, finding, list, placeIn } from './finding.ts';

export interface BalancerFile {
  readonly file: string;
  readonly config: HaproxyConfig;
}

export function findBalancer({ views }: FindingContext, { config }: BalancerFile): Finding[] {
  const members = views.flatMap(({ router }) => router.members);
  const addresses = [...new Set(members.flatMap(addressesOf).map(({ address }) => address))];
  const listening = config.proxies.filter(({ kind }) => kind === 'frontend' || kind === 'listen');
  const binds = listening.flatMap(({ settings }) => settings.binds);
  const servers = config.proxies.flatMap(({ settings }) => settings.servers);
  return [
    ...(binds.length === 0 ? [] : views.flatMap(({ router }) => notBound(router.members[0]!, binds))),
    ...binds.flatMap((bind) => boundToAddress(bind, addresses)),
    ...servers.flatMap((server) => loops(server, addresses, binds)),
    ...members.flatMap(otherProcess),
  ];
}

function addressesOf({ router }: Member): readonly VirtualAddress[] {
  return [...router.settings.addresses, ...router.settings.excludedAddresses];
}

function notBound(member: Member, binds: readonly BindLine[]): Finding[] {
  const missing = member.router.settings.addresses.filter(
    ({ address }) => !binds.some((bind) => bind.addresses.some(({ value }) => covers(value, address, bind))),
  );
  if (missing.length === 0) return [];
  const names = list(missing.map(({ address }) => address));
  return [finding('address-not-bound', placeIn(member, 'virtual_ipaddress'), `no bind of haproxy.cfg covers ${names}`)];
}

function covers(written: WrittenAddress, address: string, bind: BindLine): boolean {
  if (written.kind !== 'inet') return false;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const host = parseIp(written.host)?.host ?? written.host;
  if (host === '' || host === '*') return (written.family ?? 'ipv4') === family;
  if (host === '0.0.0.0') return family === 'ipv4';
  if (host === '::') return family === 'ipv6' || bind.settings.v6only?.value !== true;
  // A name: what it stands for is not asked here.
  return host === address || parseIp(host) === undefined;
}

function boundToAddress(bind: BindLine, addresses: readonly string[]): Finding[] {
  if (bind.settings.transparent?.value === true) return [];
  return bind.addresses.filter(isOneOf(addresses)).map(({ value, place }) => {
    const host = value.kind === 'inet' ? value.host : '';
    return finding('bind-to-virtual-address', place, `${host} is a virtual address`);
  });
}

function isOneOf(addresses: readonly string[]): (written: Placed<WrittenAddress>) => boolean {
  return ({ value }) => value.kind === 'inet' && addresses.includes(parseIp(value.host)?.host ?? '');
}

function loops({ address, name }: ServerLine, addresses: readonly string[], binds: readonly BindLine[]): Finding[] {
  if (!isOneOf(addresses)(address) || address.value.kind !== 'inet') return [];
  const { host, port } = address.value;
  const bound = binds.some((bind) =>
    bind.addresses.some(
      ({ value }) =>
        value.kind === 'inet' &&
        covers(value, host, bind) &&
        (port === undefined ||
          (value.port !== undefined && value.port.first <= port.first && port.first <= value.port.last)),
    ),
  );
  if (!bound) return [];
  return [finding('server-is-virtual-address', address.place, `server ${name.value} is the virtual address ${host}`)];
}

const balancerNames = ['haproxy', 'evergate'];

/** Said only where nothing else could notice the balancer's death. */
function otherProcess(member: Member): Finding[] {
  const trackers = trackersOf(member).filter(({ noticesBalancer }) => noticesBalancer);
  if (trackers.some(({ process }) => process === undefined || balancerNames.includes(process))) return [];
  return trackers.map((tracker) =>
    finding('other-process-tracked', definition(member.node, tracker), `${tracker.name} asks for ${tracker.process}`),
  );
}
