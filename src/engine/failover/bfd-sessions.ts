/**
 * All BFD sessions of this host: those that the configuration names (`bfd_instance`), and those that nobody wrote: a backup opens one with the
 * router it follows, and where that one answers a lost host is noticed in milliseconds.
 *
 * In an unwritten session the two ends want different things. The backup wants to hear often; the active router only answers, and lets
 * itself be told now and then, so that the whole costs either of them some twenty packets a second. The backup lets them wait in the socket
 * until silence would begin to look like a death: waking up is what costs. If nothing is there then, it asks (RFC 5880 §6.5).
 * How often it wants to hear follows the advertisements (core/bfd/pace.ts).
 * A neighbour that doesn't answer (a Keepalived has no such thing) is asked three times, and again after a pause that grows.
 * A late process is not a dead one: a node that finds its own timers late tells its neighbours to wait for more missing packets, and one
 * that gave a living neighbour up is slower to judge it from then on.
 */

import { ownPaceMs, patientMultiplier } from '../../core/bfd/pace.ts';
import {
  type ControlPacket,
  decodeControlPacket,
  diagnostics,
  type SessionState,
  singleHopTtl,
} from '../../core/bfd/packet.ts';
import { BfdSession, type SessionSettings } from '../../core/bfd/session.ts';
import { peerBfd as limits } from '../../core/limits.ts';
import type { BfdSessionPlan } from '../../plan/vrrp.ts';
import type { ReceivedDatagram } from '../ports/datagrams.ts';
import {
  askAt,
  type BfdListener,
  type BfdWorld,
  endOf,
  isFollowed,
  isLinkLocal,
  isThatEnd,
  loadOf,
  Memories,
  newPeer,
  noteFollower,
  type Peer,
  portOf,
  reviewAt,
  sendPacket,
  settingsOf,
  stateWord,
} from './bfd-peer.ts';
import { BfdSockets } from './bfd-sockets.ts';
import { Lateness } from './lateness.ts';

/** Where the router that is followed is, as its advertisement showed. */
export interface FollowedPeer {
  readonly source: string;
  readonly ownAddress: string;
  readonly interfaceIndex: number;
}

export class BfdSessions {
  readonly #world: BfdWorld;
  readonly #listener: BfdListener;
  readonly #peers: Peer[] = [];
  readonly #memories = new Memories();
  readonly #sockets: BfdSockets;
  readonly #lateness = new Lateness();
  #plans: readonly BfdSessionPlan[] = [];
  #closed = false;

  constructor(world: BfdWorld, listener: BfdListener) {
    this.#world = world;
    this.#listener = listener;
    this.#sockets = new BfdSockets(world, (datagram, port) => this.#received(datagram, port));
  }

  /** The configured sessions, at start and at a reload: those that stay the same go on. */
  configure(plans: readonly BfdSessionPlan[]): void {
    this.#plans = plans;
    const wanted = plans.map((plan) => JSON.stringify(plan));
    for (const peer of [...this.#peers])
      if (peer.plan !== undefined && !wanted.includes(JSON.stringify(peer.plan))) this.#remove(peer, true);
    for (const [index, plan] of plans.entries())
      if (!this.#peers.some((peer) => JSON.stringify(peer.plan) === wanted[index])) this.#openConfigured(plan);
    this.#pump();
  }

  /** Opens the listening socket for unwritten sessions: called for each family that a router here speaks. */
  listen(family: 'ipv4' | 'ipv6'): void {
    this.#sockets.listen(family);
  }

  /** Of the plan's session number `index`. */
  result(index: number): 'well' | 'failed' {
    const plan = JSON.stringify(this.#plans[index]);
    const peer = this.#peers.find((one) => one.plan !== undefined && JSON.stringify(one.plan) === plan);
    return peer?.session.status().state === 'up' ? 'well' : 'failed';
  }

  /** A backup has just heard the router that it follows, which advertises itself once an interval. */
  follow({ source, ownAddress, interfaceIndex }: FollowedPeer, advertisementIntervalMs: number): void {
    const now = this.#world.clock.now();
    const family = source.includes(':') ? 'ipv6' : 'ipv4';
    if (!this.#sockets.listen(family)) return;
    const end = endOf(source, interfaceIndex);
    let peer = this.#peers.find((each) => isThatEnd(each, source, end));
    if (peer === undefined) {
      const memory = this.#memories.find(end);
      if (memory !== undefined && now < memory.quietUntil) return;
      peer = this.#openUnwritten(source, ownAddress, interfaceIndex);
      if (peer === undefined) return;
    }
    noteFollower(peer, advertisementIntervalMs, now);
    if (peer.plan === undefined) this.#want(peer, this.#paceOf(peer, now), now);
    peer.session.handle({ kind: 'alive' }, now);
    this.#pump();
  }

  /** What a session that nobody wrote says of the host with that address on that link. `late`: it was silent too long, but no longer than a busy one may be. */
  companion(host: string, interfaceIndex = 0): 'up' | 'late' | undefined {
    const there = endOf(host, interfaceIndex);
    const peer = this.#peers.find(({ end, plan }) => end === there && plan === undefined);
    if (peer === undefined) return undefined;
    const { state, remoteState } = peer.session.status();
    if (state === 'up') return 'up';
    const silentMs = this.#world.clock.now() - peer.heardAt;
    return remoteState !== 'admin-down' && silentMs < limits.lateMsMax ? 'late' : undefined;
  }

  /** Ends the unwritten sessions: others must not count on this host. Whoever follows it, or is followed, begins anew. */
  forsake(): void {
    for (const peer of [...this.#peers]) if (peer.plan === undefined) this.#remove(peer, true);
  }

  deadline(): number {
    let earliest = this.#sockets.readAt;
    for (const peer of this.#peers) {
      earliest = Math.min(earliest, peer.session.deadline() ?? Infinity, askAt(peer));
      if (peer.plan === undefined) earliest = Math.min(earliest, reviewAt(peer));
    }
    return earliest;
  }

  /** When `timer` will judge somebody's silence: everything that waits in this host's sockets must have been heard then. */
  get judgesAt(): number {
    let earliest = this.#sockets.readAt;
    for (const peer of this.#peers) earliest = Math.min(earliest, peer.session.detectionDeadline, askAt(peer));
    return earliest;
  }

  /** Hands over what waits in the sockets. */
  receiveWaiting(): void {
    this.#sockets.receiveWaiting();
  }

  /** Whatever is due. From `judgesAt` on, waiting datagrams must have been handed over before. `dueAt`: when this call should have come. */
  timer(dueAt: number): void {
    const now = this.#world.clock.now();
    const lateMs = Math.max(0, now - dueAt);
    this.#lateness.note(lateMs, now);
    this.#adapt(now);
    for (const peer of [...this.#peers]) {
      if (askAt(peer) <= now) this.#ask(peer, now);
      if ((peer.session.deadline() ?? Infinity) <= now) peer.session.handle({ kind: 'timer', lateMs }, now);
      if (peer.plan === undefined && reviewAt(peer) <= now) this.#review(peer, now);
    }
    this.#pump();
  }

  /** This process is about to be busy for up to `ms` milliseconds: the neighbours are told before, and bear with it for the next ten seconds at least. */
  expectDelay(ms: number): void {
    const now = this.#world.clock.now();
    this.#lateness.note(limits.latenessForgivenMs + ms, now);
    this.#adapt(now);
    for (const { plan, session } of this.#peers)
      if (plan === undefined && (session.deadline() ?? Infinity) <= now)
        session.handle({ kind: 'timer', lateMs: 0 }, now);
    this.#pump();
  }

  /** Says goodbye, so that nobody takes the silence for a death. */
  close(): void {
    this.#closed = true;
    for (const peer of [...this.#peers]) this.#remove(peer, true);
    this.#sockets.close();
  }

  // ------------------------------------------------------------ sessions come and go

  #openConfigured(plan: BfdSessionPlan): void {
    const family = plan.neighbor.includes(':') ? 'ipv6' : 'ipv4';
    this.#sockets.listen(family, portOf(plan));
    this.#open(plan.neighbor, plan.source, 0, plan.ttl, plan, settingsOf(plan));
  }

  #openUnwritten(neighbour: string, ownAddress: string, interfaceIndex: number): Peer | undefined {
    const unwritten = this.#peers.filter(({ plan }) => plan === undefined);
    if (unwritten.length >= limits.sessionsMax) return undefined;
    return this.#open(neighbour, ownAddress, interfaceIndex, singleHopTtl, undefined, {
      minTxMs: limits.fastestMs,
      minRxMs: limits.unwantedRxMs,
      idleTxMs: limits.idleTxMs,
      multiplier: patientMultiplier(this.#lateness.worst(this.#world.clock.now()), limits.idleTxMs),
      passive: false,
    });
  }

  #open(
    neighbour: string,
    source: string | undefined,
    interfaceIndex: number,
    ttl: number,
    plan: BfdSessionPlan | undefined,
    settings: Omit<SessionSettings, 'discriminator'>,
  ): Peer | undefined {
    const { datagrams, journal, clock, random } = this.#world;
    const family = neighbour.includes(':') ? 'ipv6' : 'ipv4';
    const channel = datagrams.open({
      family,
      source,
      interfaceIndex,
      destination: neighbour,
      port: portOf(plan),
      ttl,
    });
    if ('failure' in channel && plan !== undefined)
      journal.log('err', `BFD_Instance(${plan.name}) cannot open a socket for ${neighbour}: ${channel.failure}`);
    if ('failure' in channel && plan === undefined) return undefined;
    const discriminator = this.#newDiscriminator();
    const session = new BfdSession({ ...settings, discriminator }, () => random.uint32() / 2 ** 32);
    const known = { neighbour, interfaceIndex, discriminator, session, channel, plan };
    const peer = newPeer(known, settings, clock.now());
    this.#peers.push(peer);
    session.handle({ kind: 'start' }, clock.now());
    return peer;
  }

  #newDiscriminator(): number {
    for (;;) {
      const number = this.#world.random.uint32();
      if (number !== 0 && !this.#peers.some(({ discriminator }) => discriminator === number)) return number;
    }
  }

  #remove(peer: Peer, say: boolean): void {
    const at = this.#peers.indexOf(peer);
    if (at === -1) return;
    this.#peers.splice(at, 1);
    if (say) {
      const now = this.#world.clock.now();
      peer.session.handle({ kind: 'admin-down' }, now);
      peer.session.handle({ kind: 'timer' }, now);
      for (let action = peer.session.poll(); action !== undefined; action = peer.session.poll())
        if (action.kind === 'send') this.#send(peer, action.packet);
    }
    if ('close' in peer.channel) peer.channel.close();
  }

  // ------------------------------------------------------------ unwritten sessions

  #want(peer: Peer, minRxMs: number, now: number): void {
    if (peer.minRxMs === minRxMs && !peer.asked) return;
    peer.minRxMs = minRxMs;
    peer.asked = false;
    peer.session.handle({ kind: 'intervals', minTxMs: limits.fastestMs, minRxMs }, now);
  }

  /** As fast as the advertisements suggest; not faster than that neighbour managed, nor than this node can judge. */
  #paceOf({ end, paceMs }: Peer, now: number): number {
    return Math.max(paceMs, this.#memories.find(end)?.minRxMs ?? 0, ownPaceMs(this.#lateness.worst(now)));
  }

  /**
   * A packet whose contents differ may leave at once, between the periodic ones (§6.8.7), and a poll is answered at once (§6.5): what differs
   * is that we would hear a millisecond sooner, until the answer is here.
   */
  #ask(peer: Peer, now: number): void {
    peer.asked = true;
    peer.session.handle({ kind: 'intervals', minTxMs: limits.fastestMs, minRxMs: peer.minRxMs - 1 }, now);
    peer.session.handle({ kind: 'asked', answerMs: limits.questionMs }, now);
  }

  #review(peer: Peer, now: number): void {
    if (peer.session.state === 'up') {
      this.#want(peer, limits.unwantedRxMs, now);
      return;
    }
    // Gone: the next advertisement begins anew. Never answered: that after a pause.
    const memory = this.#memories.of(peer.end);
    if (peer.remoteBefore === 0) {
      memory.quietUntil = now + memory.pauseMs;
      memory.pauseMs = Math.min(memory.pauseMs * 2, limits.pauseMsMax);
    }
    this.#remove(peer, false);
  }

  /** What we find our own timers late by, the neighbours must bear with, and so must we with them. */
  #adapt(now: number): void {
    const lateMs = this.#lateness.worst(now);
    for (const peer of this.#peers) {
      if (peer.plan !== undefined) continue;
      if (isFollowed(peer) && !peer.asked) this.#want(peer, this.#paceOf(peer, now), now);
      const multiplier = patientMultiplier(lateMs, peer.session.transmitIntervalMs);
      if (multiplier === peer.multiplier) continue;
      peer.multiplier = multiplier;
      peer.session.handle({ kind: 'multiplier', multiplier }, now);
    }
  }

  // ------------------------------------------------------------ packets and state

  #received(datagram: ReceivedDatagram, port: number): void {
    const packet = decodeControlPacket(datagram.payload);
    if (packet === undefined || this.#closed) return;
    const peer = this.#peerFor(packet, datagram, port);
    if (peer === undefined) return;
    const now = this.#world.clock.now();
    // By the wall clock, which may have been set meanwhile: it can't have waited since before the sockets were empty.
    const waitedMs = Math.min(datagram.waitedMs, now - this.#sockets.heardAllAt);
    peer.heardAt = now;
    if (peer.lostAt !== undefined) peer.wasLate = now - peer.lostAt < limits.lateMsMax;
    peer.lostAt = undefined;
    peer.session.handle({ kind: 'packet', packet, ttl: datagram.ttl, waitedMs }, now);
    if (peer.asked) this.#want(peer, peer.minRxMs, now);
    this.#pump();
    this.#listener.moved();
  }

  #peerFor(packet: ControlPacket, datagram: ReceivedDatagram, port: number): Peer | undefined {
    const { source, ttl, interfaceIndex, destination } = datagram;
    // RFC 5881 §3: by our discriminator, by address and interface while it is unknown. The address must fit in any case.
    const { yourDiscriminator } = packet;
    const end = endOf(source, interfaceIndex);
    const there = this.#peers.filter(({ plan }) => portOf(plan) === port);
    const byAddress = there.find((peer) => isThatEnd(peer, source, end));
    const known =
      yourDiscriminator === 0
        ? byAddress
        : there.find((peer) => peer.neighbour === source && peer.discriminator === yourDiscriminator);
    if (known !== undefined) return known;
    const begins = packet.state === 'down' && yourDiscriminator === 0 && ttl === singleHopTtl;
    if (!begins || port !== portOf(undefined) || byAddress !== undefined || !this.#listener.answersOn(interfaceIndex))
      return undefined;
    return this.#openUnwritten(source, destination, interfaceIndex);
  }

  #pump(): void {
    for (const peer of [...this.#peers])
      for (let action = peer.session.poll(); action !== undefined; action = peer.session.poll())
        if (action.kind === 'send') this.#send(peer, action.packet);
        else this.#stateChanged(peer, action);
    this.#attend();
  }

  /** Packets may wait while some neighbour is followed, so that the sockets are looked into soon, and none has to say anything new. */
  #attend(): void {
    const quiet =
      loadOf(this.#peers) <= limits.unreadSessionsMax &&
      this.#peers.some(isFollowed) &&
      this.#peers.every(({ session, asked }) => session.steady && !asked);
    this.#sockets.attend(!quiet);
  }

  #send(peer: Peer, packet: ControlPacket): void {
    const failure = sendPacket(peer, packet);
    if (failure !== undefined && failure !== peer.sendFailure && peer.plan !== undefined)
      this.#world.journal.log('warning', `BFD_Instance(${peer.plan.name}) sending failed: ${failure}`);
    peer.sendFailure = failure;
  }

  #stateChanged(
    peer: Peer,
    { from, to, reason }: { readonly from: SessionState; readonly to: SessionState; readonly reason: string },
  ): void {
    if (peer.plan !== undefined)
      this.#world.journal.log('info', `(${peer.plan.name}) Entering ${stateWord[to]} state: ${reason}`);
    const timedOut = from === 'up' && peer.session.status().diagnostic === diagnostics.timeExpired;
    if (to === 'up') this.#cameUp(peer);
    else if (timedOut) {
      peer.lostAt = this.#world.clock.now();
      if (peer.plan === undefined) this.#world.journal.detail(`BFD: ${peer.neighbour} is silent`);
      this.#listener.lost(peer.neighbour, isLinkLocal(peer.neighbour) ? peer.interfaceIndex : undefined);
    }
    if (peer.plan !== undefined && (from === 'up' || to === 'up')) this.#listener.changed();
  }

  /** The same end as before speaks again, and soon: its host had not died nor the way to it, it was only late, and next time it gets twice as long. */
  #cameUp(peer: Peer): void {
    if (peer.plan !== undefined) return;
    const remote = peer.session.status().remoteDiscriminator;
    const memory = this.#memories.of(peer.end);
    memory.pauseMs = limits.pauseMs;
    if (peer.wasLate && remote === peer.remoteBefore && peer.minRxMs !== limits.unwantedRxMs) {
      memory.minRxMs = Math.min(Math.max(memory.minRxMs, peer.minRxMs) * 2, limits.lateRxMsMax);
      this.#world.journal.log(
        'info',
        `BFD: ${peer.neighbour} was late, not dead: from now on it gets ${memory.minRxMs} ms a packet`,
      );
    } else this.#world.journal.detail(`BFD session with ${peer.neighbour} is up`);
    peer.remoteBefore = remote;
    peer.wasLate = false;
  }
}
