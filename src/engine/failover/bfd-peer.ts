/** What a host knows of one BFD neighbour, with a session and without. */

import { peerPaceMs } from '../../core/bfd/pace.ts';
import {
  type ControlPacket,
  encodeControlPacket,
  multihopPort,
  type SessionState,
  singleHopPort,
} from '../../core/bfd/packet.ts';
import type { BfdSession, SessionSettings } from '../../core/bfd/session.ts';
import { peerBfd as limits } from '../../core/limits.ts';
import type { BfdSessionPlan } from '../../plan/vrrp.ts';
import type { Datagrams } from '../ports/datagrams.ts';
import type { Journal } from '../ports/logs.ts';
import type { SystemFailure } from '../ports/system-failure.ts';
import type { Clock, Random } from '../ports/time.ts';

export interface BfdWorld {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly datagrams: Datagrams;
  readonly random: Random;
}

export interface BfdListener {
  /** A neighbour that was there is silent: its host, its process or the way to it is gone. `interfaceIndex`: where alone that address means it. */
  lost(source: string, interfaceIndex: number | undefined): void;
  /** A configured session may have another result than before. */
  changed(): void;
  /** A datagram came in: the deadline may have moved. */
  moved(): void;
  /** Unwritten sessions that others open are answered on this interface. */
  answersOn(interfaceIndex: number): boolean;
}

/** As Keepalived's log has them. */
export const stateWord: Readonly<Record<SessionState, string>> = {
  'admin-down': 'AdminDown',
  down: 'Down',
  init: 'Init',
  up: 'Up',
};

/**
 * Which host an address means: the same link-local one may be another host's on each link (RFC 4291 §2.5.6).
 * @returns the same text for the same host.
 */
export function endOf(address: string, interfaceIndex: number): string {
  return isLinkLocal(address) ? `${address}%${interfaceIndex}` : address;
}

export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/** One end of a session and what this host wants of it. */
export interface Peer {
  readonly neighbour: string;
  /** 0 with a configured session: whatever leads there. */
  readonly interfaceIndex: number;
  /** `endOf` both. */
  readonly end: string;
  readonly discriminator: number;
  readonly session: BfdSession;
  readonly channel: ReturnType<Datagrams['open']>;
  /** Undefined: an unwritten session. */
  readonly plan: BfdSessionPlan | undefined;
  /** An unwritten session serves a router here until then. */
  wantedUntil: number;
  /** The pace that the router with the shortest interval among those wants, and until when it counts. */
  paceMs: number;
  paceUntil: number;
  heardAt: number;
  minRxMs: number;
  /** What was told last: others count missing packets up to it. */
  multiplier: number;
  /** It is silent, and was asked. */
  asked: boolean;
  remoteBefore: number;
  /** When it was given up, until it is heard again. */
  lostAt: number | undefined;
  /** It was heard again so soon that it was not lost, but late. */
  wasLate: boolean;
  /** The packet that was sent last, and its bytes. */
  sent: ControlPacket | undefined;
  sentBytes: Uint8Array;
  sendFailure: string | undefined;
}

type Known = Pick<Peer, 'neighbour' | 'interfaceIndex' | 'discriminator' | 'session' | 'channel' | 'plan'>;

export function newPeer(
  known: Known,
  { minRxMs, multiplier }: Omit<SessionSettings, 'discriminator'>,
  now: number,
): Peer {
  return {
    ...known,
    end: endOf(known.neighbour, known.interfaceIndex),
    wantedUntil: -Infinity,
    paceMs: limits.intervalMs,
    paceUntil: -Infinity,
    heardAt: now,
    minRxMs,
    multiplier,
    asked: false,
    remoteBefore: 0,
    lostAt: undefined,
    wasLate: false,
    sent: undefined,
    sentBytes: new Uint8Array(0),
    sendFailure: undefined,
  };
}

/** Where its packets go and come from: those of another port are of another session. */
export function portOf(plan: BfdSessionPlan | undefined): number {
  return plan?.multihop === true ? multihopPort : singleHopPort;
}

/** The host of a packet or an advertisement: a configured session has an address only. */
export function isThatEnd(peer: Peer, address: string, end: string): boolean {
  return peer.end === end || (peer.plan !== undefined && peer.neighbour === address);
}

/** Several routers may share a session: the one in the greatest hurry decides, as long as it hears what it follows. */
export function noteFollower(peer: Peer, advertisementIntervalMs: number, now: number): void {
  // By then VRRP's own timers have judged.
  const until = now + 4 * advertisementIntervalMs;
  peer.wantedUntil = Math.max(peer.wantedUntil, until);
  const paceMs = peerPaceMs(advertisementIntervalMs);
  if (paceMs > peer.paceMs && now < peer.paceUntil) return;
  peer.paceMs = paceMs;
  peer.paceUntil = until;
}

/** How much comes in, in sessions of the usual pace; the slow ones may send more than they were asked for. */
export function loadOf(peers: readonly Peer[]): number {
  return peers.reduce((sum, { minRxMs }) => sum + Math.max(1, limits.intervalMs / minRxMs), 0);
}

/** What `bfd_instance` says, less what only this host knows. */
export function settingsOf(plan: BfdSessionPlan): Omit<SessionSettings, 'discriminator'> {
  const hopsCount = plan.maxHops >= 0 && plan.maxHops < 255;
  return {
    minTxMs: plan.minTxMs,
    minRxMs: plan.minRxMs,
    idleTxMs: plan.idleTxMs,
    multiplier: plan.multiplier,
    passive: plan.passive,
    ttlMin: hopsCount ? Math.max(0, plan.ttl - plan.maxHops) : 0,
  };
}

/** Does a router here count on hearing that neighbour? */
export function isFollowed({ plan, session, minRxMs }: Peer): boolean {
  return plan === undefined && minRxMs !== limits.unwantedRxMs && session.state === 'up';
}

/** When silence begins to look like a death; Infinity when nobody counts on that neighbour, or it was asked already. */
export function askAt(peer: Peer): number {
  return isFollowed(peer) && !peer.asked ? peer.session.detectionDeadline - limits.questionMs : Infinity;
}

/** When to look whether an unwritten session still has a purpose. */
export function reviewAt({ session, minRxMs, wantedUntil, heardAt }: Peer): number {
  if (session.state === 'up') return minRxMs === limits.unwantedRxMs ? Infinity : wantedUntil;
  return heardAt + limits.attemptMs;
}

/** Most packets say what the one before said: those are not encoded again. */
export function sendPacket(peer: Peer, packet: ControlPacket): SystemFailure {
  if ('failure' in peer.channel) return undefined;
  if (packet !== peer.sent) {
    peer.sent = packet;
    peer.sentBytes = encodeControlPacket(packet);
  }
  return peer.channel.send(peer.sentBytes);
}

/** What is remembered of an end while there is no session with it. */
export interface Memory {
  quietUntil: number;
  pauseMs: number;
  /** It was late: it gets that long between two packets at least. */
  minRxMs: number;
}

export class Memories {
  readonly #memories = new Map<string, Memory>();

  find(end: string): Memory | undefined {
    return this.#memories.get(end);
  }

  of(end: string): Memory {
    let memory = this.#memories.get(end);
    if (memory === undefined) {
      // Addresses come and go on a network; the oldest memory makes room.
      if (this.#memories.size >= limits.sessionsMax) this.#memories.delete(this.#memories.keys().next().value!);
      memory = { quietUntil: -Infinity, pauseMs: limits.pauseMs, minRxMs: 0 };
      this.#memories.set(end, memory);
    }
    return memory;
  }
}
