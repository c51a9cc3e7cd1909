/** VRRP's own packets, and whole frames. */
import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

/** A received protocol-112 packet, header facts taken from the kernel. */
export interface ReceivedPacket {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly source: string;
  readonly destination: string;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** IPv4 identification (an authentication header covers it); 0 over IPv6. */
  readonly identification: number;
  /** The VRRP message without the IP header; a copy, the receiver may keep it. */
  readonly payload: Uint8Array;
}

/** Where one virtual router speaks and listens. */
export interface ChannelOptions {
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  readonly family: IpFamily;
  /** IP protocol: 112 (VRRP), or 51 for version 2 with an authentication header (RFC 2338 §5.3.6). */
  readonly protocol: number;
  /** The group to join; undefined for unicast. */
  readonly group: string | undefined;
  /** Our address on that interface: what packets are sent from. */
  readonly source: string;
  /** IPv4 TTL or IPv6 hop limit, 1 to 255. */
  readonly ttl: number;
  /** Of the receiving socket; where channels share one, the most that any of them asks for. Undefined: the adapter's own. */
  readonly receiveBufferBytes?: number | undefined;
}

export interface Channel {
  /**
   * Sends one VRRP message; the IP header is the adapter's affair (precedence 6, no DF, as Keepalived sends it), but for its
   * identification (1 to 65535; IPv4 only).
   */
  send(payload: Uint8Array, destination: string, identification: number): SystemFailure;
  close(): void;
}

export interface Packets {
  /**
   * Joins and listens; `received` is called for every packet of that protocol and family that comes in on the interface,
   * ours excluded, unjudged. Channels with the same interface, family, protocol and group share a socket.
   */
  open(
    options: ChannelOptions,
    received: (packet: ReceivedPacket) => void,
  ): { readonly channel: Channel } | { readonly failure: string };
  /** Hands over now what waits in the sockets: before a timer is believed, what has arrived must have been heard. */
  receiveWaiting(): void;
  /** Sends a whole Ethernet frame: gratuitous ARP, unsolicited neighbour advertisement. */
  sendFrame(interfaceIndex: number, frame: Uint8Array): SystemFailure;
}

/** Hears who else on a link claims addresses: ARP, neighbour advertisements. */
export interface AddressClaims {
  /** `claimed` is called for each frame that comes in by which a station claims one of these addresses; hardware addresses have 6 bytes. */
  watch(
    interfaceIndex: number,
    addresses: readonly string[],
    claimed: (address: string, hardwareAddress: Uint8Array) => void,
  ): { close(): void } | { readonly failure: string };
}
