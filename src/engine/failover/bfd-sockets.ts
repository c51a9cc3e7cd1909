/**
 * The sockets that BFD packets come in by. Waking up is what costs: where nobody has to say anything new, packets wait in them until
 * somebody's silence must be judged, or until they might be full.
 */
import { singleHopPort } from '../../core/bfd/packet.ts';
import { peerBfd as limits } from '../../core/limits.ts';
import type { DatagramListener, ReceivedDatagram } from '../ports/datagrams.ts';
import type { BfdWorld } from './bfd-peer.ts';

export class BfdSockets {
  readonly #world: BfdWorld;
  readonly #received: (datagram: ReceivedDatagram, port: number) => void;
  /** By family and port; undefined: it could not be opened. */
  readonly #sockets = new Map<string, DatagramListener | undefined>();
  #prompt = true;
  #closed = false;
  /** When what waited was last heard, and since when nobody is woken by what arrives. */
  #heardAllAt = -Infinity;
  #quietAt = -Infinity;

  constructor(world: BfdWorld, received: (datagram: ReceivedDatagram, port: number) => void) {
    this.#world = world;
    this.#received = received;
  }

  /** @returns true when that family is heard there. */
  listen(family: 'ipv4' | 'ipv6', port: number = singleHopPort): boolean {
    if (this.#closed) return false;
    const key = `${family} ${port}`;
    if (!this.#sockets.has(key)) {
      const opened = this.#world.datagrams.listen(family, port, (datagram) => this.#received(datagram, port));
      this.#sockets.set(key, 'failure' in opened ? undefined : opened);
      if ('failure' in opened)
        this.#world.journal.log('warning', `BFD: cannot listen on UDP port ${port}: ${opened.failure}`);
      else opened.attend(this.#prompt);
    }
    return this.#sockets.get(key) !== undefined;
  }

  /** Nothing that is handed over now came in before. */
  get heardAllAt(): number {
    return this.#heardAllAt;
  }

  /** When what waits must be heard: a socket that is full drops what is newest. */
  get readAt(): number {
    return this.#prompt ? Infinity : Math.max(this.#heardAllAt, this.#quietAt) + limits.unreadMs;
  }

  /** Hands over what waits. */
  receiveWaiting(): void {
    this.#world.datagrams.receiveWaiting();
    this.#heardAllAt = this.#world.clock.now();
  }

  /** Does every packet wake this process? */
  attend(prompt: boolean): void {
    if (prompt === this.#prompt) return;
    this.#prompt = prompt;
    this.#quietAt = this.#world.clock.now();
    for (const socket of this.#sockets.values()) socket?.attend(prompt);
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket?.close();
    this.#sockets.clear();
  }
}
