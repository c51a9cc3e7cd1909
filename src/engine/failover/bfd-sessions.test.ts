/** Unwritten BFD sessions between an active router and its standby, on a wire of numbers: who is woken, who is asked, who is given up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerBfd } from '../../core/limits.ts';
import type { ReceivedDatagram } from '../ports/datagrams.ts';
import { BfdSessions } from './bfd-sessions.ts';

class Wire {
  now = 0;
  /** How many of the packets to come get lost, by who sends them. */
  readonly losses = new Map<string, number>();
  readonly hosts: readonly Host[];
  /** What the packets said of RFC 5880's Detect Mult. */
  readonly multipliers = new Set<number>();
  readonly #flying: { readonly at: number; readonly to: Host; readonly datagram: ReceivedDatagram }[] = [];

  constructor() {
    this.hosts = [new Host(this, '10.0.0.1'), new Host(this, '10.0.0.2')];
  }

  carry(source: string, destination: string, payload: Uint8Array): void {
    this.multipliers.add(payload[2]!);
    const left = this.losses.get(source) ?? 0;
    this.losses.set(source, left - 1);
    if (left > 0) return;
    const to = this.hosts.find(({ address }) => address === destination)!;
    const datagram = {
      interfaceIndex: 1,
      family: 'ipv4' as const,
      source,
      destination,
      ttl: 255,
      payload,
      waitedMs: 0,
    };
    this.#flying.push({ at: this.now + 0.2, to, datagram });
  }

  run(untilMs: number): void {
    for (;;) {
      const at = Math.min(this.#flying[0]?.at ?? Infinity, ...this.hosts.map((host) => host.sessions.deadline()));
      if (at > untilMs) break;
      this.now = Math.max(at, this.now);
      if ((this.#flying[0]?.at ?? Infinity) <= this.now) {
        const { to, datagram } = this.#flying.shift()!;
        to.arrived(datagram);
      } else for (const host of this.hosts) host.ring();
    }
    this.now = untilMs;
  }
}

class Host {
  readonly address: string;
  readonly sessions: BfdSessions;
  readonly lost: number[] = [];
  readonly details: string[] = [];
  /** Turns of its event loop. */
  woken = 0;
  sent = 0;
  readonly #wire: Wire;
  readonly #waiting: { readonly at: number; readonly datagram: ReceivedDatagram }[] = [];
  #prompt = true;
  #receive: (datagram: ReceivedDatagram) => void = () => {};

  constructor(wire: Wire, address: string) {
    this.#wire = wire;
    this.address = address;
    let seed = Number(address.at(-1));
    const world = {
      clock: { now: () => wire.now, wall: () => wire.now, alarm: () => ({ set: () => {}, clear: () => {} }) },
      journal: {
        log: (_severity: string, message: string) => this.details.push(message),
        detail: (message: string) => this.details.push(message),
      },
      random: { uint32: () => (seed = (seed * 48271) % 2147483647) * 2 },
      datagrams: {
        listen: (_family: string, _port: number, received: (datagram: ReceivedDatagram) => void) => {
          this.#receive = received;
          return {
            attend: (prompt: boolean) => {
              this.#prompt = prompt;
            },
            close: () => {},
          };
        },
        open: ({ destination }: { readonly destination: string }) => ({
          send: (payload: Uint8Array) => {
            this.sent++;
            wire.carry(address, destination, payload.slice());
            return undefined;
          },
          close: () => {},
        }),
        receiveWaiting: () => this.#read(),
      },
    };
    this.sessions = new BfdSessions(world, {
      lost: () => this.lost.push(wire.now),
      changed: () => {},
      moved: () => {},
      answersOn: () => true,
    });
  }

  arrived(datagram: ReceivedDatagram): void {
    this.#waiting.push({ at: this.#wire.now, datagram });
    if (!this.#prompt) return;
    this.woken++;
    this.#read();
  }

  #read(): void {
    for (const { at, datagram } of this.#waiting.splice(0))
      this.#receive({ ...datagram, waitedMs: this.#wire.now - at });
  }

  ring(): void {
    const dueAt = this.sessions.deadline();
    if (dueAt > this.#wire.now) return;
    this.woken++;
    if (this.sessions.judgesAt <= this.#wire.now) this.sessions.receiveWaiting();
    this.sessions.timer(dueAt);
  }
}

/** The second host follows the first, and both have agreed upon the pace. */
function followed() {
  const wire = new Wire();
  const [active, standby] = wire.hosts as [Host, Host];
  for (const host of wire.hosts) host.sessions.listen('ipv4');
  standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, 1e9);
  wire.run(5_000);
  assert.deepEqual(standby.details, ['BFD session with 10.0.0.1 is up']);
  return { wire, active, standby };
}

test('one packet in three quarters to one interval, and the standby is woken less often than it hears', () => {
  const { wire, active, standby } = followed();
  const before = { sent: active.sent, woken: standby.woken };
  wire.multipliers.clear();
  wire.run(65_000);
  const perSecond = (active.sent - before.sent) / 60;
  const woken = (standby.woken - before.woken) / 60;
  const most = 1000 / (0.75 * peerBfd.intervalMs);
  assert.ok(perSecond >= 1000 / peerBfd.intervalMs && perSecond <= most + 1, `${perSecond} packets a second`);
  assert.ok(woken < 0.85 * perSecond, `${woken} turns a second for ${perSecond} packets`);
  assert.deepEqual(standby.lost, []);
  assert.deepEqual([...wire.multipliers], [peerBfd.multiplier], 'nobody takes itself for late');
});

test('a dead neighbour is given up one detection time after its last packet, however long that waited in the socket', () => {
  for (let phase = 0; phase < 100; phase += 7) {
    const { wire, active, standby } = followed();
    wire.run(6_000 + phase);
    wire.losses.set(active.address, Infinity);
    wire.run(7_000);
    const detection = peerBfd.intervalMs * peerBfd.multiplier;
    const tookMs = standby.lost[0]! - (6_000 + phase);
    assert.ok(tookMs <= detection + 1 && tookMs >= detection - peerBfd.intervalMs - 1, `${tookMs} ms`);
    assert.equal(standby.lost.length, 1);
  }
});

test('as many packets lost as the multiplier says: the silent neighbour is asked, answers, and is not given up', () => {
  const { wire, active, standby } = followed();
  for (let at = 6_000; at < 60_000; at += 500) {
    wire.losses.set(active.address, peerBfd.multiplier);
    wire.run(at);
  }
  assert.deepEqual(standby.lost, []);
});

test('a lost host that comes back is followed again with its next advertisement', () => {
  const { wire, active, standby } = followed();
  for (const host of wire.hosts) wire.losses.set(host.address, Infinity);
  wire.run(12_000);
  assert.equal(standby.lost.length, 1);
  for (const host of wire.hosts) wire.losses.set(host.address, 0);
  standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, 1e9);
  wire.run(14_500);
  assert.match(standby.details.at(-1)!, /is up$/, 'without the pause for those who never answered');
});

test('a neighbour that was late gets more time from then on, one that was lost for a while does not', () => {
  const outcomes = [peerBfd.lateMsMax / 2, peerBfd.lateMsMax * 1.5].map((silentMs) => {
    const { wire, active, standby } = followed();
    for (const host of wire.hosts) wire.losses.set(host.address, Infinity);
    wire.run(5_000 + silentMs);
    assert.equal(standby.lost.length, 1);
    for (const host of wire.hosts) wire.losses.set(host.address, 0);
    standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, 1e9);
    wire.run(12_000);
    return standby.details.at(-1);
  });
  assert.match(outcomes[0]!, /was late, not dead: from now on it gets 100 ms/);
  assert.match(outcomes[1]!, /is up$/);
});
