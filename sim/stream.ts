/** One end of a TCP connection in virtual time: what it sends, receives, passes on, and how it ends. */
import type { SocketAddress } from '../src/core/address.ts';
import { highWaterBytes, lowWaterBytes } from '../src/core/limits.ts';
import type { Stream, StreamError, StreamHandler } from '../src/engine/ports/streams.ts';
import type { Network } from './streams.ts';

export class SimStream implements Stream {
  handler: StreamHandler | undefined;
  peer: SimStream | undefined;
  established = false;
  gone = false;
  readonly #network: Network;
  readonly #local: SocketAddress;
  readonly #remote: SocketAddress;
  #localAsked = false;
  #remoteAsked = false;
  // Sending.
  readonly #out: Uint8Array[] = [];
  unsentBytes = 0;
  #underWay = 0;
  #wantsDrained = false;
  #finWanted = false;
  #finSent = false;
  #closing = false;
  #transmitAsked = false;
  // Receiving.
  readonly #in: Uint8Array[] = [];
  #paused = false;
  #finArrived = false;
  #endedTold = false;
  #deliverAsked = false;
  #errorArrived: StreamError | undefined;
  // Passing on.
  #relayTo: SimStream | undefined;
  #relayLeft = 0;
  #relaySource: SimStream | undefined;
  #relayNext = true;

  constructor(network: Network, local: SocketAddress, remote: SocketAddress) {
    this.#network = network;
    this.#local = local;
    this.#remote = remote;
  }

  // ---------------------------------------------------------------- the port

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.gone || this.#closing || this.#finWanted) return true;
    if (end > start) this.#queue(buffer, start, end);
    if (this.unsentBytes <= highWaterBytes) return true;
    this.#wantsDrained = true;
    return false;
  }

  #queue(buffer: Uint8Array, start: number, end: number): void {
    this.#out.push(new Uint8Array(buffer.subarray(start, end)));
    this.unsentBytes += end - start;
    this.#send();
  }

  flush(): void {}

  shutdown(): void {
    if (this.gone || this.#closing) return;
    this.#finWanted = true;
    this.#relaySource?.deliverLater();
    this.#transmitLater();
  }

  close(): void {
    if (this.gone || this.#closing) return;
    this.#closing = true;
    this.#finWanted = true;
    this.#relaySource?.deliverLater();
    this.#wantsDrained = false;
    // What is unread is dropped, but the window it filled opens: the peer's own FIN must get through.
    const unread = this.#in.splice(0).reduce((sum, segment) => sum + segment.length, 0);
    const { peer } = this;
    if (unread > 0) this.#network.time.after(this.#network.delayMs, () => peer!.acknowledge(unread));
    if (this.established) this.#transmitLater();
    else this.#network.time.after(0, () => this.end(undefined));
  }

  reset(): void {
    if (this.gone || this.#errorArrived !== undefined) return;
    this.#closing = true;
    this.#dropQueues();
    const { peer } = this;
    if (peer !== undefined) this.#network.time.after(this.#network.delayMs, () => peer.resetArrives());
    this.#network.time.after(0, () => this.end(undefined));
  }

  relay(to: Stream, bytes: number): void {
    if (!(to instanceof SimStream)) return;
    this.#relayTo = to;
    this.#relayLeft = bytes;
    to.#relaySource = this;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#in.length > 0 || (this.#finArrived && !this.#endedTold)) this.deliverLater();
  }

  remoteAddress(): SocketAddress {
    if (this.gone && !this.#remoteAsked) return nowhere;
    this.#remoteAsked = true;
    return this.#remote;
  }

  localAddress(): SocketAddress {
    if (this.gone && !this.#localAsked) return nowhere;
    this.#localAsked = true;
    return this.#local;
  }

  // ---------------------------------------------------------------- sending

  #transmitLater(): void {
    if (this.#transmitAsked || !this.established) return;
    this.#transmitAsked = true;
    this.#network.time.after(0, () => {
      this.#transmitAsked = false;
      this.#transmit();
    });
  }

  /** Puts on the wire what the window lets through. */
  #send(): void {
    const { time, delayMs, windowBytes } = this.#network;
    if (!this.established || this.gone) return;
    while (this.#out.length > 0 && this.#underWay < windowBytes) {
      const first = this.#out[0]!;
      // A window that opens by single bytes is not worth segments of single bytes (RFC 9293 §3.8.6.2.1).
      if (windowBytes - this.#underWay < Math.min(first.length, windowBytes / 4)) break;
      const size = Math.min(
        first.length,
        65_536,
        windowBytes - this.#underWay,
        Math.max(1, this.#network.segmentBytes()),
      );
      const segment = first.subarray(0, size);
      if (size === first.length) this.#out.shift();
      else this.#out[0] = first.subarray(size);
      this.unsentBytes -= size;
      this.#underWay += size;
      const { peer } = this;
      time.after(delayMs, () => peer!.arrive(segment));
    }
  }

  #transmit(): void {
    const { time, delayMs } = this.#network;
    if (this.gone) return;
    this.#send();
    if (this.#wantsDrained && this.unsentBytes <= lowWaterBytes) {
      this.#wantsDrained = false;
      this.handler?.drained();
      if (this.gone) return;
    }
    if (this.#finWanted && !this.#finSent && this.#out.length === 0) {
      this.#finSent = true;
      const { peer } = this;
      time.after(delayMs, () => peer!.finArrives());
      this.#maybeOver();
    }
  }

  /** The receiver has read: the window opens again. */
  acknowledge(size: number): void {
    this.#underWay -= size;
    this.#transmitLater();
    this.#relaySource?.relayMoves();
  }

  // ---------------------------------------------------------------- receiving

  establish(): void {
    if (this.gone) return;
    this.established = true;
    if (this.#closing) return;
    this.handler!.opened(this);
    this.#transmitLater();
    this.deliverLater();
  }

  arrive(segment: Uint8Array): void {
    if (this.gone || this.#closing) {
      // Nobody reads here any more; the sender may go on until it sees our FIN.
      const { peer } = this;
      this.#network.time.after(this.#network.delayMs, () => peer!.acknowledge(segment.length));
      return;
    }
    this.#in.push(segment);
    this.deliverLater();
  }

  finArrives(): void {
    this.#finArrived = true;
    this.deliverLater();
  }

  resetArrives(): void {
    if (this.gone) return;
    this.#errorArrived = 'reset';
    this.#dropQueues();
    this.#network.time.after(0, () => this.end(this.#closing ? undefined : 'reset'));
  }

  deliverLater(): void {
    if (this.#deliverAsked || this.handler === undefined) return;
    this.#deliverAsked = true;
    this.#network.time.after(0, () => {
      this.#deliverAsked = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { received, time, delayMs } = this.#network;
    if (this.gone || !this.established || this.#errorArrived !== undefined) return;
    if (this.#in.length > 0 && !this.#paused && !this.#closing) {
      if (this.#relays()) return;
      const segment = this.#in.shift()!;
      this.#relayLeft = Math.max(0, this.#relayLeft - segment.length);
      received.set(segment, 7);
      this.handler!.received(received, 7, 7 + segment.length);
      received.fill(0xa5, 0, 7 + segment.length);
      const { peer } = this;
      time.after(delayMs, () => peer!.acknowledge(segment.length));
      this.deliverLater();
      return;
    }
    if (this.#finArrived && this.#in.length === 0 && !this.#endedTold && !this.#closing) {
      this.#endedTold = true;
      this.handler!.ended();
    }
    this.#maybeOver();
  }

  // ---------------------------------------------------------------- passing on

  /** Passes a segment on unseen. @returns false when it is to be shown: every other one is, where nobody knows how many there will be. */
  #relays(): boolean {
    const to = this.#relayTo;
    const segment = this.#in[0]!;
    if (to === undefined || this.#relayLeft === 0 || !to.#takesRelayed) return false;
    const size = Math.min(segment.length, this.#relayLeft);
    if (this.#relayLeft === Infinity) this.#relayNext = !this.#relayNext;
    if (this.#relayLeft === Infinity && this.#relayNext) return false;
    // Until `to` has sent what it has the segment waits; see `acknowledge`.
    if (to.unsentBytes > 0) {
      this.#relayNext = !this.#relayNext;
      return true;
    }
    if (size === segment.length) this.#in.shift();
    else this.#in[0] = segment.subarray(size);
    this.#relayLeft -= size;
    const { time, delayMs } = this.#network;
    const { peer } = this;
    time.after(delayMs, () => peer!.acknowledge(size));
    to.#queue(segment, 0, size);
    this.deliverLater();
    this.handler!.relayed!(size);
    return true;
  }

  /** What it passed on has left, or some of it. */
  relayMoves(): void {
    this.deliverLater();
    this.#network.time.after(0, () => {
      if (!this.gone && !this.#closing) this.handler?.relayed?.(0);
    });
  }

  get #takesRelayed(): boolean {
    return !this.gone && !this.#closing && !this.#finWanted && this.established;
  }

  // ---------------------------------------------------------------- endings

  #maybeOver(): void {
    if (this.#finSent && (this.#closing || this.#endedTold)) this.#network.time.after(0, () => this.end(undefined));
  }

  end(error: StreamError | undefined): void {
    if (this.gone) return;
    this.gone = true;
    this.#dropQueues();
    this.#relaySource?.deliverLater();
    this.handler?.closed(error);
  }

  #dropQueues(): void {
    this.#out.length = 0;
    this.#in.length = 0;
    this.unsentBytes = 0;
    this.#wantsDrained = false;
  }
}

const nowhere: SocketAddress = { family: 'ipv4', host: '', port: 0 };
