/** What nodes hear of each other, and messages that must be ignored. */

import type { HeardAdvertisement } from '../../src/core/vrrp/events.ts';
import { encodeAdvertisement, multicastGroups } from '../../src/core/vrrp/packet.ts';
import type { PacketFacts } from '../../src/core/vrrp/receive.ts';
import type { VirtualRouterSettings } from '../../src/core/vrrp/settings.ts';
import type { SimNode } from './node.ts';
import type { Parts } from './parts.ts';
import type { Fault } from './schedule.ts';

export function heardDirectly(from: SimNode, priority: number): HeardAdvertisement {
  return { source: from.source, priority, advertisementIntervalMs: from.settings.advertisementIntervalMs };
}

/** As bytes, there and back; undefined when the receiver ignores it. */
export function heardThroughCodec(
  parts: Parts,
  from: SimNode,
  to: SimNode,
  priority: number,
): HeardAdvertisement | undefined {
  const { transport } = from.settings;
  const destination = transport.kind === 'multicast' ? transport.group : to.source;
  const envelope = { source: from.source, destination };
  const payload = encodeAdvertisement(from.settings, priority, envelope);
  const context = { ownAddress: to.source, followed: undefined, sequence: 0 };
  const received = parts.receiveAdvertisement({ ...envelope, ttl: 255, payload }, to.settings, context);
  return received.kind === 'accepted' ? received.heard : undefined;
}

/** A message that is sound but for one thing, sent to the node that has these settings, by an address that is nobody's (in the group's place: a neighbour's). */
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
