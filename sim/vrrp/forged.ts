/** Messages that must be ignored: each is sound but for one thing. */

import { encodeAdvertisement, multicastGroups } from '../../src/core/vrrp/packet.ts';
import type { PacketFacts } from '../../src/core/vrrp/receive.ts';
import type { VirtualRouterSettings } from '../../src/core/vrrp/settings.ts';
import type { Fault } from './schedule.ts';

/** Sent to the node that has these settings, by an address that is nobody's (in the group's place: a neighbour's). */
export function forgedMessage(
  settings: VirtualRouterSettings,
  { priority, flaw }: Extract<Fault, { readonly kind: 'forged' }>,
): PacketFacts {
  const { family, transport } = settings;
  const stranger = family === 'ipv4' ? '10.0.9.9' : 'fe80::9:9';
  const own = transport.source ?? (family === 'ipv4' ? '10.0.9.1' : 'fe80::9:1');
  const toGroup = (transport.kind === 'multicast') !== (flaw === 'cast');
  const source = transport.kind === 'unicast' && flaw !== 'source' ? transport.peers[0]!.address : stranger;
  const destination = toGroup ? multicastGroups[family] : own;
  const virtualRouterId = settings.virtualRouterId + (flaw === 'router-id' ? 1 : 0);
  const payload = encodeAdvertisement({ ...settings, virtualRouterId }, priority, { source, destination });
  return { source, destination, ttl: flaw === 'ttl' ? 254 : 255, payload };
}
