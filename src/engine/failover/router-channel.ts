/** The socket of one virtual router, over its interface, and what leaves by it: advertisements, and announcements of the addresses. */
import { wrapAuthenticated } from '../../core/vrrp/ah.ts';
import { gratuitousArp, unsolicitedNeighbourAdvertisement } from '../../core/vrrp/frames.ts';
import { encodeAdvertisement, passwordBytes } from '../../core/vrrp/packet.ts';
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { VirtualRouterPlan } from '../../plan/vrrp.ts';
import type { Link, Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { Channel, ChannelOptions, Packets, ReceivedPacket } from '../ports/packets.ts';

export interface RouterChannelWorld {
  readonly packets: Packets;
  readonly links: Links;
  readonly journal: Journal;
}

export class RouterChannel {
  readonly #world: RouterChannelWorld;
  readonly #plan: () => VirtualRouterPlan;
  readonly #received: (packet: ReceivedPacket) => void;
  #open: { readonly channel: Channel; readonly options: ChannelOptions } | undefined;
  #identification = 0;
  /**
   * The authentication header's, one for what is sent and what is heard, as in Keepalived: whoever takes over goes on where the one before
   * it was, or the others would take its advertisements for old ones that somebody sends again (RFC 2402 §3.4.3), and be MASTER beside it.
   */
  sequence = 0;
  #sendFailure: string | undefined;
  #openFailure: string | undefined;

  constructor(world: RouterChannelWorld, plan: () => VirtualRouterPlan, received: (packet: ReceivedPacket) => void) {
    this.#world = world;
    this.#plan = plan;
    this.#received = received;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The address that is sent from; undefined while it is closed. */
  get source(): string | undefined {
    return this.#open?.options.source;
  }

  /** The interface that is sent by; undefined while it is closed. */
  get interfaceIndex(): number | undefined {
    return this.#open?.options.interfaceIndex;
  }

  /** Where it is open already it stays so, unless a reload wants another kind of socket. */
  open(transmit: Link, source: string): void {
    const { settings, receiveBufferBytes } = this.#plan();
    const { transport } = settings;
    const options: ChannelOptions = {
      interfaceIndex: transmit.index,
      interfaceName: transmit.name,
      family: settings.family,
      protocol: settings.authentication.kind === 'ah' ? 51 : 112,
      group: transport.kind === 'multicast' ? transport.group : undefined,
      source,
      ttl: transport.kind === 'multicast' ? 255 : (transport.ttl ?? 255),
      receiveBufferBytes,
    };
    if (JSON.stringify(this.#open?.options) === JSON.stringify(options)) return;
    this.close();
    const opened = this.#world.packets.open(options, this.#received);
    if ('channel' in opened) {
      this.#open = { channel: opened.channel, options };
      this.#openFailure = undefined;
    } else if (opened.failure !== this.#openFailure) {
      this.#openFailure = opened.failure;
      this.#world.journal.log('err', `(${settings.name}) cannot open socket on ${transmit.name}: ${opened.failure}`);
    }
  }

  close(): void {
    this.#open?.channel.close();
    this.#open = undefined;
  }

  /** To the group, or to each of the peers. */
  advertise(priority: number): void {
    const { transport } = this.#plan().settings;
    const destinations =
      transport.kind === 'multicast' ? [transport.group] : transport.peers.map(({ address }) => address);
    for (const destination of destinations) this.#send(priority, destination);
  }

  #send(priority: number, destination: string): void {
    const open = this.#open;
    if (open === undefined) return;
    const { settings } = this.#plan();
    const { source } = open.options;
    // 1 to 65535, so that the kernel takes ours instead of making one (raw(7)).
    this.#identification = (this.#identification % 0xffff) + 1;
    let payload = encodeAdvertisement(settings, priority, { source, destination });
    if (settings.authentication.kind === 'ah') {
      const unicast = settings.transport.kind === 'unicast';
      const ttl = settings.transport.kind === 'unicast' ? (settings.transport.ttl ?? 255) : 255;
      const envelope = { source, destination, ttl, identification: this.#identification };
      const key = passwordBytes(settings.authentication.password);
      payload = wrapAuthenticated(payload, key, ++this.sequence, envelope, unicast);
    }
    const failure = open.channel.send(payload, destination, this.#identification);
    if (failure !== undefined && failure !== this.#sendFailure)
      this.#world.journal.log('warning', `(${settings.name}) sending to ${destination} failed: ${failure}`);
    this.#sendFailure = failure;
  }

  /** Sends one gratuitous ARP or neighbour advertisement for a virtual address. */
  announce(device: string, address: VirtualAddress): void {
    const { links, packets, journal } = this.#world;
    const link = links.link(device);
    if (link === undefined || link.hardwareAddress.length !== 6) return;
    const kind = address.family === 'ipv4' ? 'gratuitous ARP' : 'unsolicited Neighbour Adverts';
    journal.detail(`Sending ${kind} on ${device} for ${address.address}`);
    const failure = packets.sendFrame(link.index, this.#announcement(link, address.family, address.address));
    if (failure !== undefined)
      journal.log('err', `Error sending ${kind} on ${device} for ${address.address}: ${failure}`);
  }

  /** The router's own address, whose hardware address a unicast peer may have wrong. */
  announceSource(link: Link): void {
    const source = this.#open?.options.source;
    if (source === undefined || link.hardwareAddress.length !== 6) return;
    this.#world.packets.sendFrame(link.index, this.#announcement(link, this.#plan().settings.family, source));
  }

  #announcement(link: Link, family: 'ipv4' | 'ipv6', address: string): Uint8Array {
    if (family === 'ipv4') return gratuitousArp(link.hardwareAddress, address);
    // RFC 4861 §4.4's R flag: this host is a router on that interface.
    const forwards = this.#world.links.parameter('ipv6', link.name, 'forwarding') === 1;
    return unsolicitedNeighbourAdvertisement(link.hardwareAddress, address, forwards);
  }
}
