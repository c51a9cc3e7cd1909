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
  /** Hosts that nothing is heard of any more. */
  readonly silent = new Set<Host>();
  readonly hosts: readonly Host[];
  /** What the packets said of RFC 5880's Detect Mult. */
  readonly multipliers = new Set<number>();
  readonly #flying: { readonly at: number; readonly to: Host; readonly datagram: ReceivedDatagram }[] = [];

  constructor(
    hosts: (wire: Wire) => readonly Host[] = (wire) => [new Host(wire, '10.0.0.1'), new Host(wire, '10.0.0.2')],
  ) {
    this.hosts = hosts(this);
  }

  carry(from: Host, destination: string, interfaceIndex: number, payload: Uint8Array): void {
    const source = from.address;
    this.multipliers.add(payload[2]!);
    const left = this.losses.get(source) ?? 0;
    this.losses.set(source, left - 1);
    if (left > 0 || this.silent.has(from)) return;
    const to = this.hosts.find(({ address, links }) => address === destination && links.includes(interfaceIndex))!;
    const datagram = {
      interfaceIndex,
      family: source.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
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
      const at = Math.min(this.#flying[0]?.at ?? Infinity, ...this.hosts.map((host) => host.dueAt));
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
  readonly links: readonly number[];
  readonly sessions: BfdSessions;
  readonly lost: number[] = [];
  readonly lostOn: (number | undefined)[] = [];
  readonly details: string[] = [];
  /** Its process is not run before. */
  asleepUntil = 0;
  /** Turns of its event loop. */
  woken = 0;
  sent = 0;
  readonly #wire: Wire;
  readonly #waiting: { readonly at: number; readonly datagram: ReceivedDatagram }[] = [];
  #prompt = true;
  #receive: (datagram: ReceivedDatagram) => void = () => {};

  constructor(wire: Wire, address: string, links: readonly number[] = [1]) {
    this.#wire = wire;
    this.address = address;
    this.links = links;
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
        open: ({ destination, interfaceIndex }: { readonly destination: string; readonly interfaceIndex: number }) => ({
          send: (payload: Uint8Array) => {
            this.sent++;
            wire.carry(this, destination, interfaceIndex, payload.slice());
            return undefined;
          },
          close: () => {},
        }),
        receiveWaiting: () => this.#read(),
      },
    };
    this.sessions = new BfdSessions(world, {
      lost: (_source, interfaceIndex) => {
        this.lost.push(wire.now);
        this.lostOn.push(interfaceIndex);
      },
      changed: () => {},
      moved: () => {},
      answersOn: () => true,
    });
  }

  get dueAt(): number {
    return Math.max(this.sessions.deadline(), this.asleepUntil);
  }

  arrived(datagram: ReceivedDatagram): void {
    this.#waiting.push({ at: this.#wire.now, datagram });
    if (!this.#prompt || this.asleepUntil > this.#wire.now) return;
    this.woken++;
    this.#read();
  }

  #read(): void {
    for (const { at, datagram } of this.#waiting.splice(0))
      this.#receive({ ...datagram, waitedMs: this.#wire.now - at });
  }

  ring(): void {
    const dueAt = this.sessions.deadline();
    if (this.dueAt > this.#wire.now) return;
    this.woken++;
    if (this.#prompt || this.sessions.judgesAt <= this.#wire.now) this.sessions.receiveWaiting();
    this.sessions.timer(dueAt);
  }
}

/** Longer than any test: the router is followed all the time. */
const forEver = 1e9;

/** The second host follows the first, and both have agreed upon the pace. */
function followed(advertisementIntervalMs = forEver) {
  const wire = new Wire();
  const [active, standby] = wire.hosts as [Host, Host];
  for (const host of wire.hosts) host.sessions.listen('ipv4');
  advertised(wire, advertisementIntervalMs, 5_000);
  assert.deepEqual(standby.details, ['BFD session with 10.0.0.1 is up']);
  return { wire, active, standby };
}

/** The first host is heard once an interval until then. */
function advertised(wire: Wire, intervalMs: number, untilMs: number): void {
  const [active, standby] = wire.hosts as [Host, Host];
  for (let at = wire.now; at < untilMs; at += intervalMs) {
    wire.run(at);
    standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, intervalMs);
  }
  wire.run(untilMs);
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
  standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, forEver);
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
    standby.sessions.follow({ source: active.address, ownAddress: standby.address, interfaceIndex: 1 }, forEver);
    wire.run(12_000);
    return standby.details.at(-1);
  });
  assert.match(outcomes[0]!, /was late, not dead: from now on it gets 100 ms/);
  assert.match(outcomes[1]!, /is up$/);
});

/** How long the first host's silence lasts, from its last packet or advertisement at most, until it is given up. */
function noticedAfter(wire: Wire): number {
  const [active, standby] = wire.hosts as [Host, Host];
  const from = wire.now;
  wire.losses.set(active.address, Infinity);
  wire.run(from + 2_000);
  assert.equal(standby.lost.length, 1);
  return standby.lost[0]! - from;
}

test('frequent advertisements: the session keeps their pace, and silence is noticed before VRRP would', () => {
  for (const [intervalMs, paceMs] of [
    [1000, peerBfd.intervalMs],
    [20, 20],
    [10, peerBfd.fastestMs],
  ] as const)
    for (let phase = 0; phase < 20; phase += 3) {
      const { wire } = followed(intervalMs);
      advertised(wire, intervalMs, 6_000 + phase);
      const tookMs = noticedAfter(wire);
      const detection = peerBfd.multiplier * paceMs;
      assert.ok(tookMs <= detection + 1 && tookMs >= detection - paceMs - 1, `${intervalMs} ms: ${tookMs} ms`);
    }
});

test('what waited in the socket since before the last advertisement does not shorten the wait', () => {
  for (let phase = 0; phase < 20; phase += 1) {
    const { wire, active } = followed(20);
    // Its packets get lost, its advertisements don't.
    advertised(wire, 20, 6_000 + phase);
    wire.losses.set(active.address, Infinity);
    advertised(wire, 20, 6_300);
    assert.deepEqual(wire.hosts[1]!.lost, [], `phase ${phase}`);
  }
});

test('a question that comes late is waited for as long as one in time', () => {
  const { wire, active, standby } = followed(20);
  // Heard at 6000: due to be asked at 6025, and to be given up at 6040.
  advertised(wire, 20, 6_000.1);
  standby.asleepUntil = 6_037;
  active.asleepUntil = 6_045;
  wire.run(7_000);
  assert.deepEqual(standby.lost, []);
});

test('two routers share a session: the one in the greater hurry decides, until it is heard no more', () => {
  for (const [quietMs, paceMs] of [
    [0, 20],
    [3_000, peerBfd.intervalMs],
  ] as const) {
    const { wire } = followed(20);
    advertised(wire, 500, 5_500);
    for (let at = 5_500; at < 6_000; at += 20) advertised(wire, 20, at + 20);
    advertised(wire, 500, 6_500 + quietMs);
    const standby = wire.hosts[1]!;
    standby.sessions.follow({ source: '10.0.0.1', ownAddress: standby.address, interfaceIndex: 1 }, 500);
    if (quietMs === 0)
      standby.sessions.follow({ source: '10.0.0.1', ownAddress: standby.address, interfaceIndex: 1 }, 20);
    wire.run(wire.now + 60);
    const tookMs = noticedAfter(wire);
    const detection = peerBfd.multiplier * paceMs;
    assert.ok(tookMs <= detection + 1 && tookMs >= detection - paceMs - 1, `${quietMs}: ${tookMs} ms`);
  }
});

test('a node whose own timers are late judges no faster, for ten seconds at least', () => {
  const { wire, standby } = followed(20);
  standby.sessions.expectDelay(30);
  advertised(wire, 20, 6_000);
  const tookMs = noticedAfter(wire);
  assert.ok(tookMs > 2 * 35 - 35 && tookMs <= 2 * 35 + 1, `${tookMs} ms`);
});

test('a neighbour that is late says so, and gets that long at every pace', () => {
  for (const intervalMs of [1000, 20]) {
    const { wire, active, standby } = followed(intervalMs);
    active.sessions.expectDelay(100);
    advertised(wire, intervalMs, 6_000);
    wire.losses.set(active.address, Infinity);
    wire.run(6_100);
    wire.losses.set(active.address, 0);
    advertised(wire, intervalMs, 8_000);
    assert.deepEqual(standby.lost, []);
  }
});

test('the same link-local address on two links is two hosts', () => {
  const wire = new Wire((it) => [
    new Host(it, 'fe80::1', [1]),
    new Host(it, 'fe80::1', [2]),
    new Host(it, 'fe80::9', [1, 2]),
  ]);
  const [, second, standby] = wire.hosts as [Host, Host, Host];
  for (const host of wire.hosts) host.sessions.listen('ipv6');
  for (const interfaceIndex of [1, 2])
    standby.sessions.follow({ source: 'fe80::1', ownAddress: 'fe80::9', interfaceIndex }, forEver);
  wire.run(5_000);
  assert.equal(standby.details.filter((line) => line === 'BFD session with fe80::1 is up').length, 2);
  const companions = () => [1, 2, 3].map((index) => standby.sessions.companion('fe80::1', index));
  assert.deepEqual(companions(), ['up', 'up', undefined]);
  wire.silent.add(second);
  wire.run(5_200);
  assert.deepEqual(standby.lostOn, [2]);
  assert.deepEqual(companions(), ['up', 'late', undefined]);
});
