/** Whatever a neighbour sends, in whatever order and however late: no exception, no session up by itself, and time moves on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { controlPacketBytes, decodeControlPacket, encodeControlPacket, sessionStates } from './packet.ts';
import { BfdSession, type SessionEvent } from './session.ts';

const number = fc.constantFrom(0, 1, 2, 7, 1_000, 25_000, 1_000_000, 0x7fffffff, 0xffffffff);
/** A sound packet, of which some bytes may then be anything. */
const bytes = fc
  .tuple(
    fc.record(
      {
        state: fc.constantFrom(...sessionStates),
        diagnostic: fc.nat(31),
        poll: fc.boolean(),
        final: fc.boolean(),
        controlPlaneIndependent: fc.boolean(),
        demand: fc.boolean(),
        detectMultiplier: fc.nat(255),
        myDiscriminator: number,
        yourDiscriminator: fc.constantFrom(0, 1, 1, 1, 2),
        desiredMinTxMicros: number,
        requiredMinRxMicros: number,
        requiredMinEchoRxMicros: number,
      },
      { noNullPrototype: true },
    ),
    fc.array(fc.tuple(fc.nat(controlPacketBytes - 1), fc.nat(255)), { maxLength: 3 }),
    fc.constantFrom(0, 0, 0, 1, 4, 20),
  )
  .map(([packet, changes, cut]) => {
    const whole = encodeControlPacket(packet);
    for (const [at, value] of changes) whole[at] = value;
    return whole.subarray(0, controlPacketBytes - cut);
  });

const event: fc.Arbitrary<SessionEvent | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: bytes },
  { weight: 4, arbitrary: fc.constantFrom(0, 3, 5_000).map((lateMs): SessionEvent => ({ kind: 'timer', lateMs })) },
  fc.constantFrom<SessionEvent>({ kind: 'start' }, { kind: 'alive' }, { kind: 'admin-down' }, { kind: 'admin-up' }),
  fc.integer({ min: 1, max: 255 }).map((multiplier): SessionEvent => ({ kind: 'multiplier', multiplier })),
  fc.constantFrom(1, 25, 1_000).map((ms): SessionEvent => ({ kind: 'intervals', minTxMs: ms, minRxMs: ms })),
);
const pause = fc.constantFrom<number | 'deadline'>(0, 1, 400, 'deadline', 'deadline', 100_000);

test('no sequence of packets and events breaks the session', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(pause, event, fc.constantFrom(255, 255, 254)), { maxLength: 60 }), (steps) => {
      const settings = { discriminator: 1, minTxMs: 25, minRxMs: 25, idleTxMs: 1000, multiplier: 4, passive: false };
      const session = new BfdSession(settings, () => 0.5);
      let now = 0;
      for (const [wait, what, ttl] of steps) {
        now = wait === 'deadline' ? Math.max(now, session.deadline() ?? now) : now + wait;
        const before = session.status().state;
        const packet = what instanceof Uint8Array ? decodeControlPacket(what) : undefined;
        if (packet !== undefined) session.handle({ kind: 'packet', packet, ttl }, now);
        else if (!(what instanceof Uint8Array)) session.handle(what, now);
        const { state, transmitIntervalMs, detectionTimeMs } = session.status();
        assert.ok(state === before || state !== 'up' || packet !== undefined, 'up only when somebody was heard');
        assert.ok(state === before || packet === undefined || ttl === 255, 'RFC 5881 §5: from afar nothing counts');
        assert.ok(Number.isFinite(transmitIntervalMs) && transmitIntervalMs >= 0 && Number.isFinite(detectionTimeMs));
        for (let action = session.poll(); action !== undefined; action = session.poll())
          if (action.kind === 'send') assert.ok(decodeControlPacket(encodeControlPacket(action.packet)) !== undefined);
        if (!(what instanceof Uint8Array) && what.kind === 'timer') assert.ok((session.deadline() ?? Infinity) > now);
      }
    }),
    { numRuns: 1500 },
  );
});
