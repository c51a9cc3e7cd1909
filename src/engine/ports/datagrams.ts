/** UDP as BFD needs it. */
import type { IpFamily } from '../../core/address.ts';
import type { SystemFailure } from './system-failure.ts';

/** A received UDP datagram, header facts taken from the kernel. */
export interface ReceivedDatagram {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly source: string;
  readonly destination: string;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** A copy, the receiver may keep it. */
  readonly payload: Uint8Array;
  /** How long it had waited in the socket: 0 where nobody knows. */
  readonly waitedMs: number;
}

/** A socket that listens for datagrams. */
export interface DatagramListener {
  /** Prompt (as it begins): handed over when they arrive. Else they wait for `receiveWaiting`, and wake nobody. */
  attend(prompt: boolean): void;
  close(): void;
}

export interface DatagramRoute {
  readonly family: IpFamily;
  /** Our address; undefined: the kernel chooses. The port is one of 49152 to 65535 (RFC 5881 §4), the same for the channel's life. */
  readonly source: string | undefined;
  /** For link-local addresses; 0 where it doesn't matter. */
  readonly interfaceIndex: number;
  readonly destination: string;
  readonly port: number;
  readonly ttl: number;
}

/** UDP as BFD needs it: small datagrams whose TTL counts. */
export interface Datagrams {
  /** Calls `received` for every datagram to that port, on any of our addresses. */
  listen(
    family: IpFamily,
    port: number,
    received: (datagram: ReceivedDatagram) => void,
  ): DatagramListener | { readonly failure: string };
  /** A way to one neighbour. Nothing is ever received on it. */
  open(
    route: DatagramRoute,
  ): { send(payload: Uint8Array): SystemFailure; close(): void } | { readonly failure: string };
  /** As Packets.receiveWaiting. */
  receiveWaiting(): void;
}
