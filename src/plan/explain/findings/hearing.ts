/** Files that can't hear each other, or hear each other and disagree. */

import { whyUnheard } from '../../../core/vrrp/election.ts';
import type { VirtualRouterSettings } from '../../../core/vrrp/settings.ts';
import type { Member, VirtualRouter } from '../cluster.ts';
import type { FindingName } from './catalogue.ts';
import { type Finding, type FindingContext, finding, placeIn } from './finding.ts';

export function findHearing({ cluster, views }: FindingContext): Finding[] {
  return views.flatMap(({ router }) => [
    ...router.members.flatMap((member, index) => (index === 0 ? [] : compare(router.members[0]!, member))),
    ...(router.members.every(isUnicast) ? missingPeers(router) : []),
    ...(router.members.length === 1 && cluster.nodes.length > 1 ? [alone(router, cluster.nodes.length)] : []),
  ]);
}

function isUnicast({ router }: Member): boolean {
  return router.settings.transport.kind === 'unicast';
}

function alone({ members }: VirtualRouter, nodes: number): Finding {
  const [member] = members;
  const { name } = member!.router.settings;
  return finding('without-partner', member!.entry.place, `${name} is in ${member!.node.name} only, of ${nodes} files`);
}

interface Difference {
  readonly name: FindingName;
  readonly words: readonly string[];
  /** What each has, for the message; equal: no difference. */
  readonly of: (settings: VirtualRouterSettings) => string;
  /** Of the message: "virtual_router_id 51 here, 52 in lb1". */
  readonly subject: string;
}

const differences: readonly Difference[] = [
  {
    name: 'virtual-router-id-differs',
    words: ['virtual_router_id'],
    subject: 'virtual_router_id',
    of: ({ virtualRouterId }) => `${virtualRouterId}`,
  },
  { name: 'version-differs', words: ['version'], subject: 'version', of: ({ version }) => `${version}` },
  {
    name: 'transport-differs',
    words: ['virtual_ipaddress', 'native_ipv6'],
    subject: 'family',
    of: ({ family }) => family,
  },
  {
    name: 'transport-differs',
    words: ['unicast_peer', 'unicast_src_ip', 'mcast_dst_ip'],
    subject: 'transport',
    of: ({ transport }) => (transport.kind === 'multicast' ? `multicast ${transport.group}` : 'unicast'),
  },
  {
    name: 'authentication-differs',
    words: ['authentication'],
    subject: 'auth_type',
    of: ({ authentication }) => authentication.kind.toUpperCase(),
  },
];

/** Differences that make one deaf to the other; the first file is the one that is compared with. */
function compare(first: Member, member: Member): Finding[] {
  const [a, b] = [first.router.settings, member.router.settings];
  const tell = (name: FindingName, words: readonly string[], subject: string, here: string, there: string) =>
    finding(name, placeIn(member, ...words), `${subject} ${here} here, ${there} in ${first.node.name}`);
  const findings = differences
    .filter(({ of }) => of(a) !== of(b))
    .map(({ name, words, subject, of }) => tell(name, words, subject, of(b), of(a)));
  if (a.version === b.version && a.advertisementIntervalMs !== b.advertisementIntervalMs) {
    const name = a.version === 2 ? 'interval-differs' : 'interval-differs-v3';
    const seconds = (ms: number) => `${ms / 1000} s`;
    const [here, there] = [seconds(b.advertisementIntervalMs), seconds(a.advertisementIntervalMs)];
    findings.push(tell(name, ['advert_int'], 'the interval is', here, there));
  }
  if (isVersion3Ipv4(a) && isVersion3Ipv4(b) && a.checksumAsV2 !== b.checksumAsV2) {
    const [here, there] = [onOff(b), onOff(a)];
    findings.push(tell('checksum-differs', ['v3_checksum_as_v2'], 'v3_checksum_as_v2 is', here, there));
  }
  if (
    a.authentication.kind !== 'none' &&
    a.authentication.kind === b.authentication.kind &&
    passwordDiffers(first, member)
  )
    findings.push(
      finding(
        'authentication-differs',
        placeIn(member, 'authentication'),
        `another auth_pass than in ${first.node.name}`,
      ),
    );
  const missing = addressDifference(a, b);
  if (missing !== undefined && a.virtualRouterId === b.virtualRouterId && a.family === b.family)
    findings.push(
      finding('addresses-differ', placeIn(member, 'virtual_ipaddress'), missing(first.node.name), {
        ...(b.skipCheckAdvertisedAddresses && a.skipCheckAdvertisedAddresses ? { severity: 'warning' } : {}),
      }),
    );
  if (isMulticastPair(a, b) && a.interface !== b.interface)
    findings.push(tell('interface-differs', ['interface'], 'interface', b.interface, a.interface));
  return findings;
}

/** Over IPv6 there is one way to make it. */
function isVersion3Ipv4({ version, family }: VirtualRouterSettings): boolean {
  return version === 3 && family === 'ipv4';
}

function onOff({ checksumAsV2 }: VirtualRouterSettings): string {
  return checksumAsV2 ? 'on' : 'off';
}

function isMulticastPair(a: VirtualRouterSettings, b: VirtualRouterSettings): boolean {
  return a.transport.kind === 'multicast' && b.transport.kind === 'multicast';
}

function passwordDiffers(first: Member, member: Member): boolean {
  const password = ({ router }: Member) =>
    router.settings.authentication.kind === 'none' ? '' : router.settings.authentication.password;
  return password(first) !== password(member);
}

function addressDifference(
  a: VirtualRouterSettings,
  b: VirtualRouterSettings,
): ((other: string) => string) | undefined {
  const only = (from: VirtualRouterSettings, without: VirtualRouterSettings) =>
    from.addresses.filter(({ address }) => !without.addresses.some((each) => each.address === address));
  const [extra] = only(b, a);
  if (extra !== undefined) return (other) => `${extra.address} is not in ${other}`;
  const [missing] = only(a, b);
  if (missing !== undefined) return (other) => `${missing.address} of ${other} is not here`;
  return undefined;
}

/** Unicast: everybody must name everybody, by the address that is sent from. */
function missingPeers({ members }: VirtualRouter): Finding[] {
  return members.flatMap((from) =>
    members.flatMap((to) => {
      if (from === to || !to.sourceKnown) return [];
      const reason = whyUnheard(party(from), party(to));
      const unnamed = reason?.includes('unicast peer') ?? false;
      if (!unnamed) return [];
      const message = reason!.startsWith('unicast source address')
        ? `${to.node.name} checks its peers' addresses, and ${from.source} of ${from.node.name} is not among them`
        : `${to.source} of ${to.node.name} is not named`;
      const place = reason!.startsWith('unicast source address')
        ? placeIn(to, 'unicast_peer')
        : placeIn(from, 'unicast_peer');
      return [finding('peer-not-named', place, message)];
    }),
  );
}

function party({ router, source }: Member) {
  return { settings: router.settings, source };
}
