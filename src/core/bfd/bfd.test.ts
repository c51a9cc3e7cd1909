/** RFC 5880 and 5881: packets, and two sessions that talk over a wire of numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ControlPacket, decodeControlPacket, encodeControlPacket, sessionStates } from './packet.ts';
import { BfdSession, type SessionSettings } from './session.ts';

const packet: ControlPacket = {
  state: 'up',
  diagnostic: 1,
  poll: true,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 5,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0x0a0b0c0d,
  desiredMinTxMicros: 10_000,
  requiredMinRxMicros: 20_000,
  requiredMinEchoRxMicros: 0,
};

test('§4.1: the layout', () => {
  assert.equal(
    Buffer.from(encodeControlPacket(packet)).toString('hex'),
    '21e00518010203040a0b0c0d0000271000004e2000000000',
  );
});

test('§6.8.6: what is discarded', () => {
  const bytes = encodeControlPacket(packet);
  const refused = (at: number, value: number) => assert.equal(decodeControlPacket(bytes.with(at, value)), undefined);
  refused(0, 0x41); // version 2
  refused(1, 0xe4); // authentication
  refused(1, 0xe1); // multipoint
  refused(1, 0xf0); // poll and final
  refused(2, 0); // multiplier
  refused(3, 23); // too short
  refused(3, 25); // longer than the packet
  assert.equal(decodeControlPacket(bytes.subarray(0, 23)), undefined);
  assert.equal(decodeControlPacket(encodeControlPacket({ ...packet, myDiscriminator: 0 })), undefined);
  assert.equal(decodeControlPacket(encodeControlPacket({ ...packet, yourDiscriminator: 0 })), undefined);
  assert.ok(decodeControlPacket(encodeControlPacket({ ...packet, state: 'down', yourDiscriminator: 0 })));
});

test('any packet is read as it was written, and no bytes make the reader throw', () => {
  const number = fc.integer({ min: 1, max: 0xffffffff });
  const fields = {
    state: fc.constantFrom(...sessionStates),
    diagnostic: fc.nat(31),
    poll: fc.boolean(),
    final: fc.constant(false),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: number,
    yourDiscriminator: number,
    desiredMinTxMicros: number,
    requiredMinRxMicros: number,
    requiredMinEchoRxMicros: number,
  };
  const packets = fc.record<ControlPacket>(fields, { noNullPrototype: true });
  fc.assert(fc.property(packets, (one) => assert.deepEqual(decodeControlPacket(encodeControlPacket(one)), one)));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void decodeControlPacket(bytes)));
});

const settings: SessionSettings = {
  discriminator: 1,
  minTxMs: 10,
  minRxMs: 10,
  idleTxMs: 1000,
  multiplier: 5,
  passive: false,
};

/** Two sessions with a wire of 1 ms; what the wire does can be changed. */
function pair(left: Partial<SessionSettings> = {}, right: Partial<SessionSettings> = {}) {
  let now = 0;
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const sessions = [
    new BfdSession({ ...settings, ...left }, random),
    new BfdSession({ ...settings, discriminator: 2, ...right }, random),
  ] as const;
  const wire: { at: number; to: 0 | 1; bytes: Uint8Array }[] = [];
  const changes: string[] = [];
  const sent: { at: number; from: number; packet: ControlPacket }[] = [];
  const it = {
    sessions,
    changes,
    sent,
    cut: false,
    ttl: 255,
    get now() {
      return now;
    },
    give(side: 0 | 1, event: Parameters<BfdSession['handle']>[0]) {
      sessions[side].handle(event, now);
      for (let action = sessions[side].poll(); action !== undefined; action = sessions[side].poll()) {
        if (action.kind === 'state-changed') changes.push(`${now} ${side} ${action.from}>${action.to}`);
        else {
          sent.push({ at: now, from: side, packet: action.packet });
          if (!it.cut) wire.push({ at: now + 1, to: side === 0 ? 1 : 0, bytes: encodeControlPacket(action.packet) });
        }
      }
    },
    run(untilMs: number) {
      for (;;) {
        const arrival = wire[0]?.at ?? Infinity;
        const deadlines = sessions.map((session) => session.deadline() ?? Infinity);
        const next = Math.min(arrival, ...deadlines);
        if (next > untilMs) break;
        now = next;
        if (arrival <= now) {
          const { to, bytes } = wire.shift()!;
          it.give(to, { kind: 'packet', packet: decodeControlPacket(bytes)!, ttl: it.ttl });
        } else it.give(deadlines[0]! <= now ? 0 : 1, { kind: 'timer' });
      }
      now = untilMs;
    },
    start() {
      it.give(0, { kind: 'start' });
      it.give(1, { kind: 'start' });
    },
    states: () => sessions.map((session) => session.status().state).join(),
  };
  return it;
}

test('§6.2: the three-way handshake, within a second; then the fast pace, confirmed by a poll', () => {
  const it = pair();
  it.start();
  it.run(1100);
  assert.equal(it.states(), 'up,up');
  const answered = it.sent.some(({ packet: { final } }) => final);
  assert.ok(answered);
  it.run(2000);
  const recent = it.sent.filter(({ at, from }) => from === 0 && at > 1500);
  assert.ok(
    recent.length >= 50 && recent.length <= 68,
    `${recent.length} packets in 500 ms at 10 ms less up to a quarter`,
  );
  assert.ok(recent.every(({ packet: { poll, final } }) => !poll && !final));
  assert.equal(it.sessions[0].status().detectionTimeMs, 50);
});

test('§6.8.4: silence is noticed within the detection time, on both sides, with diagnostic 1', () => {
  const it = pair();
  it.start();
  it.run(2000);
  it.cut = true;
  const since = it.now;
  it.run(3000);
  assert.equal(it.states(), 'down,down');
  const downs = it.changes.slice(-2).map((line) => Number.parseFloat(line) - since);
  assert.ok(
    downs.every((ms) => ms > 35 && ms <= 51),
    `${downs}`,
  );
  assert.equal(it.sessions[0].status().diagnostic, 1);
  it.cut = false;
  it.run(6000);
  assert.equal(it.states(), 'up,up');
});

test('a larger multiplier is told before the silence it is for', () => {
  const it = pair();
  it.start();
  it.run(2000);
  it.give(0, { kind: 'multiplier', multiplier: 50 });
  assert.ok(it.sessions[0].deadline()! <= it.now);
  it.give(0, { kind: 'timer' });
  it.run(2002);
  it.cut = true;
  it.run(2400);
  assert.equal(it.sessions[1].status().state, 'up');
  it.run(2600);
  assert.equal(it.sessions[1].status().state, 'down');
});

test('§6.8.2: the slower of what one wants to send and the other to receive', () => {
  const it = pair({ minTxMs: 10 }, { minRxMs: 200, minTxMs: 50 });
  it.start();
  it.run(4000);
  assert.equal(it.sessions[0].status().transmitIntervalMs, 200);
  assert.equal(it.sessions[1].status().transmitIntervalMs, 50);
  assert.equal(it.sessions[1].status().detectionTimeMs, 5 * 200);
  assert.equal(it.sessions[0].status().detectionTimeMs, 5 * 50);
});

test('§6.8.3: until it is up a session sends once a second at most', () => {
  const it = pair();
  it.cut = true;
  it.start();
  it.run(10_000);
  const count = it.sent.filter(({ from }) => from === 0).length;
  assert.ok(count >= 10 && count <= 14, `${count}`);
});

test('§6.8.7: the jitter is between 75 and 100 %, with a multiplier of 1 at most 90 %', () => {
  for (const [multiplier, least, most] of [
    [5, 75, 100],
    [1, 75, 90],
  ] as const) {
    const it = pair({ minTxMs: 100, multiplier }, { minTxMs: 100, minRxMs: 100 });
    it.start();
    it.run(10_000);
    const times = it.sent.filter(({ at, from }) => from === 0 && at > 3000).map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - times[index]!);
    assert.ok(Math.min(...gaps) >= least && Math.max(...gaps) <= most, `${Math.min(...gaps)} ${Math.max(...gaps)}`);
  }
});

test('§6.5: a slower pace counts only when the poll is answered, a faster one at once', () => {
  const it = pair({ minTxMs: 20 }, { minRxMs: 20 });
  it.start();
  it.run(2000);
  it.cut = true;
  it.give(0, { kind: 'intervals', minTxMs: 500, minRxMs: 10 });
  assert.equal(it.sessions[0].status().transmitIntervalMs, 20);
  it.cut = false;
  it.run(it.now + 40);
  assert.equal(it.sessions[0].status().transmitIntervalMs, 500);
  assert.equal(it.states(), 'up,up');
  it.run(it.now + 3000);
  it.give(0, { kind: 'intervals', minTxMs: 20, minRxMs: 10 });
  assert.equal(it.sessions[0].status().transmitIntervalMs, 20);
});

test('§6.8.16: administratively down is told, is no failure of the neighbour, and ends', () => {
  const it = pair();
  it.start();
  it.run(2000);
  it.give(0, { kind: 'admin-down' });
  it.run(2010);
  assert.equal(it.states(), 'admin-down,down');
  assert.equal(it.sessions[1].status().remoteDiagnostic, 7);
  it.run(4000);
  assert.equal(it.states(), 'admin-down,down');
  it.give(0, { kind: 'admin-up' });
  it.run(7000);
  assert.equal(it.states(), 'up,up');
});

test('§6.1: two passive sides stay silent; one active side is enough', () => {
  const silent = pair({ passive: true }, { passive: true });
  silent.start();
  silent.run(5000);
  assert.deepEqual([silent.sent.length, silent.states()], [0, 'down,down']);
  const half = pair({ passive: true });
  half.start();
  half.run(3000);
  assert.equal(half.states(), 'up,up');
});

test('RFC 5881 §5: another TTL than 255 is discarded, as is a foreign discriminator', () => {
  const it = pair();
  it.ttl = 254;
  it.start();
  it.run(3000);
  assert.equal(it.states(), 'down,down');
  assert.ok(it.sessions[0].status().discarded > 0);
  const hops = pair({ ttlMin: 250 }, { ttlMin: 250 });
  hops.ttl = 250;
  hops.start();
  hops.run(3000);
  assert.equal(hops.states(), 'up,up');
  hops.give(0, { kind: 'packet', packet: { ...packet, state: 'down', yourDiscriminator: 99 }, ttl: 255 });
  assert.equal(hops.states(), 'up,up');
});

test('a neighbour that restarts is taken up again', () => {
  const it = pair();
  it.start();
  it.run(2000);
  it.give(0, { kind: 'packet', packet: { ...packet, state: 'down', yourDiscriminator: 0, poll: false }, ttl: 255 });
  assert.equal(it.sessions[0].status().state, 'down');
  it.run(6000);
  assert.equal(it.states(), 'up,up');
});
