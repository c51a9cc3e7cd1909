/**
 * One BFD session in asynchronous mode (RFC 5880 §6.8, RFC 5881): two hosts tell each other several times a second that they live, and each
 * notices within the detection time when the other stops.
 *
 * Pure: events in with the time (monotonic milliseconds), actions out, one deadline. Chance (the jitter of §6.8.7) is injected. The driver
 * sends to UDP port 3784 with TTL 255, hands over what arrives, and waiting packets before a timer that is due.
 */

import type { ControlPacket, SessionState } from './packet.ts';
import { diagnostics, singleHopTtl } from './packet.ts';

export interface SessionSettings {
  /** Not 0, unique among the sessions of this host. */
  readonly discriminator: number;
  /** How fast we want to send and are ready to receive once the session is up. */
  readonly minTxMs: number;
  readonly minRxMs: number;
  /** How fast we send while it is not up: at least a second (RFC 5880 §6.8.3). */
  readonly idleTxMs: number;
  readonly multiplier: number; // 1..255
  /** Does not begin to send before the other side has (RFC 5880 §6.1). */
  readonly passive: boolean;
  /** Lowest TTL accepted: 255 for single-hop (RFC 5881 §5), less for Keepalived's `max_hops`. */
  readonly ttlMin?: number;
}

export type SessionEvent =
  | { readonly kind: 'start' }
  /** `lateMs`: how much later than its deadline it comes. What should have been heard meanwhile gets that long once more. */
  | { readonly kind: 'timer'; readonly lateMs?: number }
  /** Another protocol has just heard the neighbour: it lives, whatever became of its BFD packets. */
  | { readonly kind: 'alive' }
  /** The neighbour was asked for a sign of life: it gets that long for its answer, however late the question was. */
  | { readonly kind: 'asked'; readonly answerMs: number }
  /** bfd.DetectMult: what we promise to keep to from the next packet on. */
  | { readonly kind: 'multiplier'; readonly multiplier: number }
  /**
   * For this session: by its discriminator, or by address while `yourDiscriminator` is 0. `waitedMs`: how long it had waited in the socket
   * (absent: not at all); silence counts from its arrival.
   */
  | { readonly kind: 'packet'; readonly packet: ControlPacket; readonly ttl: number; readonly waitedMs?: number }
  | { readonly kind: 'admin-down' }
  | { readonly kind: 'admin-up' }
  /** New intervals: taken over with a poll sequence (§6.5). */
  | { readonly kind: 'intervals'; readonly minTxMs: number; readonly minRxMs: number };

export type SessionAction =
  | { readonly kind: 'send'; readonly packet: ControlPacket }
  | { readonly kind: 'state-changed'; readonly from: SessionState; readonly to: SessionState; readonly reason: string };

export interface SessionStatus {
  readonly state: SessionState;
  readonly remoteState: SessionState;
  readonly diagnostic: number;
  readonly remoteDiagnostic: number;
  readonly transmitIntervalMs: number;
  readonly detectionTimeMs: number;
  /** Packets that were ignored: wrong TTL, wrong discriminator. */
  readonly discarded: number;
  /** bfd.RemoteDiscr: 0 while unknown. */
  readonly remoteDiscriminator: number;
}

/** §6.8.3: the slowest start, and the least idle interval. */
const slowTxMs = 1000;

/** A timer that is no later than this was on time. */
const latenessForgivenMs = 5;

export class BfdSession {
  #settings: SessionSettings;
  readonly #random: () => number;
  #state: SessionState = 'down';
  #diagnostic: number = diagnostics.none;
  #remote: ControlPacket | undefined;
  #started = false;
  #polling = false;
  #transmitAt: number | undefined;
  #detectAt: number | undefined;
  #heardAt = -Infinity;
  /** Has waited a little longer because we ourselves were late. */
  #gracious = false;
  #discarded = 0;
  /** What the neighbour has confirmed: counts until a poll for something else is answered (§6.8.3). */
  #confirmedTxMs: number;
  #confirmedRxMs: number;
  #actions: SessionAction[] = [];
  /** What was sent last: the very object is sent again where nothing changed, so that whoever encodes it need not do so again. */
  #sent: ControlPacket | undefined;

  /** `random`: uniform in [0, 1). */
  constructor(settings: SessionSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#confirmedTxMs = this.#desiredTxMs;
    this.#confirmedRxMs = settings.minRxMs;
  }

  poll(): SessionAction | undefined {
    return this.#actions.shift();
  }

  deadline(): number | undefined {
    const earliest = Math.min(this.#transmitAt ?? Infinity, this.#detectAt ?? Infinity);
    return earliest === Infinity ? undefined : earliest;
  }

  /** When silence will be taken for a death, if nothing is heard before; Infinity while nothing is expected. */
  get detectionDeadline(): number {
    return this.#detectAt ?? Infinity;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Up, and nothing is being agreed upon: the next packets will say what the last one did. */
  get steady(): boolean {
    return this.#state === 'up' && this.#remote?.state === 'up' && !this.#polling;
  }

  status(): SessionStatus {
    return {
      state: this.#state,
      remoteState: this.#remote?.state ?? 'down',
      diagnostic: this.#diagnostic,
      remoteDiagnostic: this.#remote?.diagnostic ?? 0,
      transmitIntervalMs: this.transmitIntervalMs,
      detectionTimeMs: this.#detectionTimeMs,
      discarded: this.#discarded,
      remoteDiscriminator: this.#remote?.myDiscriminator ?? 0,
    };
  }

  handle(event: SessionEvent, now: number): void {
    switch (event.kind) {
      case 'start':
        if (this.#started) break;
        this.#started = true;
        if (!this.#settings.passive) this.#transmitAt = now;
        break;
      case 'timer':
        this.#timer(now, event.lateMs ?? 0);
        break;
      case 'alive':
        if (this.#detectAt === undefined) break;
        // A packet that came before and is read later proves less than this.
        this.#heardAt = now;
        this.#detectAt = Math.max(this.#detectAt, now + this.#detectionTimeMs);
        break;
      case 'asked':
        if (this.#detectAt !== undefined) this.#detectAt = Math.max(this.#detectAt, now + event.answerMs);
        break;
      case 'multiplier':
        this.#settings = { ...this.#settings, multiplier: event.multiplier };
        // The neighbour counts with what the last packet said: it must hear of it before the silence, not after.
        if (this.#transmitAt !== undefined) this.#transmitAt = now;
        break;
      case 'packet':
        this.#receive(event.packet, event.ttl, now, event.waitedMs ?? 0);
        break;
      case 'admin-down':
        this.#administrate('admin-down', diagnostics.adminDown, now);
        break;
      case 'admin-up':
        if (this.#state === 'admin-down') this.#administrate('down', diagnostics.none, now);
        break;
      case 'intervals':
        this.#reconfigure(event.minTxMs, event.minRxMs, now);
        break;
    }
  }

  // ------------------------------------------------------------ timers

  #timer(now: number, lateMs: number): void {
    if (this.#detectAt !== undefined && now >= this.#detectAt) {
      if (lateMs > latenessForgivenMs && !this.#gracious) {
        this.#gracious = true;
        this.#detectAt = now + lateMs;
      } else this.#detectionExpired(now);
    }
    if (this.#transmitAt !== undefined && now >= this.#transmitAt) {
      this.#send(false);
      this.#transmitAt = now + this.#jittered();
    }
  }

  /** §6.8.4 */
  #detectionExpired(now: number): void {
    this.#detectAt = undefined;
    // §6.8.1: an unheard neighbour may have restarted with another discriminator.
    this.#remote = undefined;
    if (this.#state === 'init' || this.#state === 'up') {
      this.#diagnostic = diagnostics.timeExpired;
      this.#become('down', 'detection time expired', now);
    }
    if (this.#settings.passive) this.#transmitAt = undefined;
  }

  // ------------------------------------------------------------ packets

  /** §6.8.6, after the checks of `decodeControlPacket`. */
  #receive(packet: ControlPacket, ttl: number, now: number, waitedMs: number): void {
    const foreign = packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== this.#settings.discriminator;
    if (!this.#started || foreign || ttl < (this.#settings.ttlMin ?? singleHopTtl)) {
      this.#discarded++;
      return;
    }
    this.#remote = packet;
    if (packet.final && this.#polling) this.#confirm();
    if (this.#state === 'admin-down') return;
    this.#follow(packet, now);
    if (packet.poll) this.#send(true);
    this.#heardAt = Math.max(this.#heardAt, now - waitedMs);
    this.#detectAt = this.#heardAt + this.#detectionTimeMs;
    this.#gracious = false;
    // §6.8.3: a neighbour that wants us faster need not wait for the interval that was drawn before.
    const soonest = now + this.transmitIntervalMs;
    this.#transmitAt = this.#transmitAt === undefined ? now : Math.min(this.#transmitAt, soonest);
  }

  /** The state machine of §6.2 and §6.8.6. */
  #follow(packet: ControlPacket, now: number): void {
    if (packet.state === 'admin-down') {
      if (this.#state === 'down') return;
      this.#diagnostic = diagnostics.neighborDown;
      this.#become('down', 'neighbour administratively down', now);
    } else if (this.#state === 'down') {
      if (packet.state === 'down') this.#become('init', 'neighbour heard', now);
      else if (packet.state === 'init') this.#become('up', 'neighbour hears us', now);
    } else if (this.#state === 'init') {
      if (packet.state === 'init' || packet.state === 'up') this.#become('up', 'neighbour hears us', now);
    } else if (packet.state === 'down') {
      this.#diagnostic = diagnostics.neighborDown;
      this.#become('down', 'neighbour signalled down', now);
    }
  }

  #become(to: SessionState, reason: string, now: number): void {
    const from = this.#state;
    this.#state = to;
    if (to === 'up') this.#diagnostic = diagnostics.none;
    this.#actions.push({ kind: 'state-changed', from, to, reason });
    // The intervals differ between up and not up: told with a poll (§6.8.3), and the change itself at once.
    if (to === 'up') this.#polling = true;
    else this.#confirm();
    this.#transmitAt = now;
  }

  #administrate(to: SessionState, diagnostic: number, now: number): void {
    if (this.#state === to) return;
    this.#diagnostic = diagnostic;
    this.#detectAt = undefined;
    this.#become(to, to === 'admin-down' ? 'administratively down' : 'administratively up', now);
  }

  // ------------------------------------------------------------ intervals

  #reconfigure(minTxMs: number, minRxMs: number, now: number): void {
    this.#settings = { ...this.#settings, minTxMs, minRxMs };
    if (this.#state !== 'up') {
      this.#confirm();
      return;
    }
    this.#polling = true;
    this.#transmitAt = now;
  }

  /** The poll was answered: what we told counts now (§6.5, §6.8.3). */
  #confirm(): void {
    this.#polling = false;
    this.#confirmedTxMs = this.#desiredTxMs;
    this.#confirmedRxMs = this.#settings.minRxMs;
  }

  /** bfd.DesiredMinTxInterval: a second or slower while the session is not up (§6.8.3). */
  get #desiredTxMs(): number {
    const { minTxMs, idleTxMs } = this.#settings;
    return this.#state === 'up' ? minTxMs : Math.max(slowTxMs, idleTxMs, minTxMs);
  }

  /** §6.8.2, §6.8.7. While a poll is unanswered a slower pace does not count yet (§6.8.3); a faster one does. */
  get transmitIntervalMs(): number {
    const desired = this.#polling ? Math.min(this.#desiredTxMs, this.#confirmedTxMs) : this.#desiredTxMs;
    return Math.max(desired, (this.#remote?.requiredMinRxMicros ?? 0) / 1000);
  }

  /** §6.8.4: the neighbour's multiplier times the agreed interval; a shorter one of ours counts only when confirmed. */
  get #detectionTimeMs(): number {
    if (this.#remote === undefined) return 0;
    const requiredRx = this.#polling ? Math.max(this.#settings.minRxMs, this.#confirmedRxMs) : this.#settings.minRxMs;
    return this.#remote.detectMultiplier * Math.max(requiredRx, this.#remote.desiredMinTxMicros / 1000);
  }

  /** §6.8.7: shortened by up to a quarter; with a multiplier of 1 to between 75 and 90 %. */
  #jittered(): number {
    const least = 0.75;
    const most = this.#settings.multiplier === 1 ? 0.9 : 1;
    return this.transmitIntervalMs * (least + this.#random() * (most - least));
  }

  #send(final: boolean): void {
    // §6.8.7: not to a neighbour that wants nothing or only asks on demand, nor as the passive side before it was heard.
    if (this.#remote?.requiredMinRxMicros === 0 && !final) return;
    if (this.#settings.passive && this.#remote === undefined) return;
    const bothUp = this.#state === 'up' && this.#remote?.state === 'up';
    if (this.#remote?.demand && bothUp && !this.#polling && !final) return;
    const yourDiscriminator = this.#remote?.myDiscriminator ?? 0;
    const desiredMinTxMicros = Math.round(this.#desiredTxMs * 1000);
    const requiredMinRxMicros = Math.round(this.#settings.minRxMs * 1000);
    const last = this.#sent;
    const again =
      last !== undefined &&
      last.state === this.#state &&
      last.diagnostic === this.#diagnostic &&
      last.final === final &&
      last.poll === (this.#polling && !final) &&
      last.detectMultiplier === this.#settings.multiplier &&
      last.yourDiscriminator === yourDiscriminator &&
      last.desiredMinTxMicros === desiredMinTxMicros &&
      last.requiredMinRxMicros === requiredMinRxMicros;
    const packet: ControlPacket = again
      ? last
      : {
          state: this.#state,
          diagnostic: this.#diagnostic,
          poll: this.#polling && !final,
          final,
          controlPlaneIndependent: false,
          demand: false,
          detectMultiplier: this.#settings.multiplier,
          myDiscriminator: this.#settings.discriminator,
          yourDiscriminator,
          desiredMinTxMicros,
          requiredMinRxMicros,
          requiredMinEchoRxMicros: 0,
        };
    this.#sent = packet;
    this.#actions.push({ kind: 'send', packet });
  }
}
