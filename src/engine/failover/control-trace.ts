/** What `evergate trace` says about one advertisement: its fields, and what is wrong with it, by itself and for the routers configured here. */
import type { IpFamily } from '../../core/address.ts';
import {
  advertisementType,
  type ChecksumForm,
  checksumForm,
  decodeAdvertisement,
  headerBytes,
  multicastGroups,
} from '../../core/vrrp/packet.ts';
import { type PacketFacts, receiveAdvertisement } from '../../core/vrrp/receive.ts';
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import { addressDifference } from './control-neighbours.ts';

export interface TracedPacket extends PacketFacts {
  readonly family: IpFamily;
  readonly outgoing: boolean;
  /** 112, or 51: an authentication header stands before the message. */
  readonly protocol: number;
}

export interface Traced {
  readonly version: number | undefined;
  readonly virtualRouterId: number | undefined;
  readonly priority: number | undefined;
  readonly advertisementIntervalMs: number | undefined;
  readonly authentication: 'none' | 'pass' | 'ah' | undefined;
  readonly addresses: readonly string[];
  readonly checksum: ChecksumForm | 'wrong' | undefined;
  /** The router of this node that it concerns. */
  readonly router: string | undefined;
  /** A receiver configured like this node ignores it because of these. */
  readonly problems: readonly string[];
  /** Taken all the same. */
  readonly remarks: readonly string[];
}

const authenticationHeaderBytes = 24;
const checksumWords: Readonly<Record<ChecksumForm, string>> = {
  'pseudo-header': 'with pseudo-header',
  plain: 'without pseudo-header',
  'group-pseudo-header': 'with the group in the pseudo-header, as Keepalived before 1.3.7',
};

/** @param routers those of the interface it was seen on; undefined: no configuration is known. */
export function traceAdvertisement(
  packet: TracedPacket,
  routers: readonly VirtualRouterSettings[] | undefined,
): Traced {
  const authenticated = packet.protocol === 51;
  const payload = authenticated ? packet.payload.subarray(authenticationHeaderBytes) : packet.payload;
  const message = decodeAdvertisement(payload, packet.family);
  if (message === undefined) return { ...nothing, problems: [unreadable(payload)] };

  const form = checksumForm(payload, message, packet.family, packet, multicastGroups[packet.family]);
  const fields = {
    version: message.version,
    virtualRouterId: message.virtualRouterId,
    priority: message.priority,
    advertisementIntervalMs: message.advertisementIntervalMs,
    authentication: authenticated
      ? ('ah' as const)
      : message.authenticationType === 1
        ? ('pass' as const)
        : ('none' as const),
    addresses: message.addresses,
    checksum: form ?? ('wrong' as const),
  };
  const router = routers?.find(
    (each) => each.family === packet.family && each.virtualRouterId === message.virtualRouterId,
  );
  if (packet.outgoing) return { ...fields, router: router?.name, problems: [], remarks: [] };
  if (router === undefined) {
    const problems = byItself(packet, message, form);
    if (routers === undefined) return { ...fields, router: undefined, problems, remarks: [] };
    const ours = routers.filter(({ family }) => family === packet.family).map((each) => each.virtualRouterId);
    const known = ours.length === 0 ? 'none on this interface' : ours.join(', ');
    const remarks = [`VRID ${message.virtualRouterId} is not one of this node's (${known})`];
    return { ...fields, router: undefined, problems, remarks };
  }
  return { ...fields, router: router.name, ...forRouter(packet, message, router, form) };
}

/** Fewer bytes than any advertisement has, or than this one says itself: then the number of addresses is what does not fit. */
function unreadable(payload: Uint8Array): string {
  const length = `${payload.length} byte${payload.length === 1 ? '' : 's'}`;
  if (payload.length < headerBytes) return `${length}: too short for an advertisement`;
  const count = payload[3]!;
  return `garbled or cut off: it says ${count} address${count === 1 ? '' : 'es'}, which do not fit into its ${length}`;
}

type Message = NonNullable<ReturnType<typeof decodeAdvertisement>>;

const nothing = {
  version: undefined,
  virtualRouterId: undefined,
  priority: undefined,
  advertisementIntervalMs: undefined,
  authentication: undefined,
  addresses: [],
  checksum: undefined,
  router: undefined,
  problems: [],
  remarks: [],
} satisfies Traced;

/** What is wrong whoever receives it. */
function byItself(packet: TracedPacket, message: Message, form: ChecksumForm | undefined): string[] {
  const problems: string[] = [];
  const multicast = packet.destination === multicastGroups[packet.family];
  if (multicast && packet.ttl !== 255) problems.push(`TTL ${packet.ttl} instead of 255: it came through a router`);
  if (message.version !== 2 && message.version !== 3) problems.push(`version ${message.version} does not exist`);
  if (message.type !== advertisementType) problems.push(`type ${message.type} is no advertisement`);
  if (form === undefined) problems.push('wrong checksum');
  return problems;
}

/** What the router of this node makes of it, by the very code that receives. */
function forRouter(
  packet: TracedPacket,
  message: Message,
  router: VirtualRouterSettings,
  form: ChecksumForm | undefined,
): Pick<Traced, 'problems' | 'remarks'> {
  const { authentication } = router;
  if ((packet.protocol === 51) !== (authentication.kind === 'ah'))
    return {
      problems: [`authentication ${packet.protocol === 51 ? 'ah' : 'without header'}, here ${authentication.kind}`],
      remarks: [],
    };
  if (authentication.kind === 'ah' && authentication.password === '')
    return { problems: [], remarks: ['authentication not checked: passwords are told to root only'] };
  const received = receiveAdvertisement(packet, withoutSecret(router, message), {
    ownAddress: undefined,
    followed: undefined,
    sequence: 0,
  });
  const difference = addressDifference(message.addresses, router);
  if (received.kind === 'rejected') {
    // Receiving stops at the first reason; who looks for mistakes wants them all, unless the bytes themselves are damaged.
    const problems = received.error === 'address-list' ? [] : [received.message];
    if (difference !== undefined && form !== undefined) problems.push(difference);
    return { problems, remarks: [] };
  }
  const remarks = received.remarks.map((remark) => {
    switch (remark) {
      case 'interval-differs':
        return `interval ${message.advertisementIntervalMs / 1000} s, here ${router.advertisementIntervalMs / 1000} s`;
      case 'address-list-differs':
        return difference ?? 'another order of addresses';
      default:
        return `checksum ${checksumWords[form ?? 'plain']}`;
    }
  });
  return { problems: [], remarks };
}

/** A password that was withheld from who asks can't be wrong. */
function withoutSecret(router: VirtualRouterSettings, message: Message): VirtualRouterSettings {
  if (router.authentication.kind !== 'pass' || router.authentication.password !== '') return router;
  return { ...router, authentication: { kind: 'pass', password: new TextDecoder().decode(message.authentication) } };
}
