/** An advertisement as one line of text, and what to check when only our own are seen. */
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import { inShort } from '../../engine/failover/control-neighbours.ts';
import type { Traced } from '../../engine/failover/control-trace.ts';
import type { Paint } from '../status/text.ts';

export interface Sighting {
  readonly wallMs: number;
  readonly interface: string;
  readonly outgoing: boolean;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly traced: Traced;
}

export function renderSighting(sighting: Sighting, paint: Paint): string {
  const { traced, outgoing } = sighting;
  const where = `${clock(sighting.wallMs)} ${sighting.interface} ${outgoing ? paint('dim', 'out') : paint('cyan', 'in ')}`;
  const way = `${sighting.source} → ${sighting.destination}`;
  const verdict = [
    ...traced.problems.map((problem) => paint('red', `✗ ${problem}`)),
    ...traced.remarks.map((remark) => paint('yellow', `! ${remark}`)),
  ];
  if (verdict.length === 0 && !outgoing && traced.router !== undefined) verdict.push(paint('green', '✔'));
  return [where, way, ...fields(traced, paint), ...verdict].join('  ');
}

function fields(traced: Traced, paint: Paint): string[] {
  if (traced.version === undefined) return [];
  const priority = traced.priority === 0 ? paint('yellow', 'priority 0 (resigns)') : `priority ${traced.priority}`;
  const authentication = traced.authentication === 'none' ? '' : `, ${traced.authentication}`;
  return [
    `v${traced.version} VRID ${traced.virtualRouterId} ${paint('bold', priority)} every ${(traced.advertisementIntervalMs ?? 0) / 1000} s${authentication}`,
    traced.addresses.length === 0 ? 'no address' : inShort(traced.addresses, ' '),
  ];
}

/** Said once when for several intervals nothing came in. */
export function adviseSilence(sent: number, routers: readonly VirtualRouterSettings[] | undefined): string[] {
  const families = new Set(routers?.map(({ family }) => family) ?? ['ipv4']);
  const unicast = routers?.some(({ transport }) => transport.kind === 'unicast') === true;
  const head =
    sent > 0
      ? [
          'This node sends, and nobody else is heard. So it should be while the others are BACKUP: standbys are silent.',
          'If another node is MASTER too (ask it: evergate status), its advertisements do not arrive here. Check on both nodes:',
        ]
      : [
          'Nothing was sent or heard. If no node is MASTER on this link, that is the reason (evergate status tells).',
          'If one is, its advertisements do not arrive here. Check on both nodes:',
        ];
  const rules = [
    ...(families.has('ipv4')
      ? [
          '  nftables:  nft insert rule inet filter input ip protocol 112 accept  (protocol 51 too, with auth_type AH)',
          `  iptables:  iptables -I INPUT -p 112${unicast ? '' : ' -d 224.0.0.18'} -j ACCEPT`,
        ]
      : []),
    ...(families.has('ipv6')
      ? [
          '  nftables:  nft insert rule inet filter input meta l4proto 112 accept',
          `  ip6tables: ip6tables -I INPUT -p 112${unicast ? '' : ' -d ff02::12'} -j ACCEPT`,
        ]
      : []),
  ];
  const network = unicast
    ? '  network:   the peers must route to each other, and security groups must let protocol 112 through'
    : '  network:   one link for all nodes, and a switch that floods 224.0.0.18 (IGMP snooping must not filter 224.0.0.x); clouds have no multicast: unicast_peer';
  return [...head, ...rules, network];
}

/** 12:03:04.123 */
function clock(wallMs: number): string {
  const date = new Date(wallMs);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
