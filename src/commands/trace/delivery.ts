/**
 * Does what arrives on the wire also arrive at a program? A packet socket sees frames before the firewall does, a raw socket after: what only
 * the first one sees was dropped on this host.
 */
import { NetlinkLinks } from '../../adapters/netlink-links.ts';
import { RawPackets } from '../../adapters/raw.ts';
import { multicastGroups } from '../../core/vrrp/packet.ts';
import type { Link } from '../../engine/ports/links.ts';
import type { ReceivedPacket } from '../../engine/ports/packets.ts';

const vrrp = 112;
/** Packets remembered until their twin from the wire is judged. */
const rememberedMax = 256;

export class DeliveryWatch {
  readonly #packets = new RawPackets();
  readonly #delivered: string[] = [];
  /** Interface and family that are listened to. */
  readonly #open = new Set<string>();

  constructor(interfaces: readonly Link[]) {
    const links = new NetlinkLinks();
    const addresses = links.addresses();
    links.close();
    for (const link of interfaces)
      for (const family of ['ipv4', 'ipv6'] as const) {
        const own = addresses.find(
          (each) => each.interfaceIndex === link.index && each.family === family && !each.tentative,
        );
        if (own === undefined) continue;
        const opened = this.#packets.open(
          {
            interfaceIndex: link.index,
            interfaceName: link.name,
            family,
            protocol: vrrp,
            group: multicastGroups[family],
            source: own.address,
            ttl: 255,
          },
          (packet) => this.#remember(packet),
        );
        if ('channel' in opened) this.#open.add(`${link.index} ${family}`);
      }
  }

  /** False only when it is known that this host dropped it. To be asked a moment after the packet was seen on the wire. */
  arrived(packet: ReceivedPacket, protocol: number): boolean {
    if (protocol !== vrrp || !this.#open.has(`${packet.interfaceIndex} ${packet.family}`)) return true;
    this.#packets.receiveWaiting();
    return this.#delivered.includes(key(packet));
  }

  close(): void {
    this.#packets.close();
  }

  #remember(packet: ReceivedPacket): void {
    this.#delivered.push(key(packet));
    if (this.#delivered.length > rememberedMax) this.#delivered.shift();
  }
}

function key({ interfaceIndex, source, destination, identification, payload }: ReceivedPacket): string {
  return `${interfaceIndex} ${source} ${destination} ${identification} ${Buffer.from(payload).toString('hex')}`;
}
