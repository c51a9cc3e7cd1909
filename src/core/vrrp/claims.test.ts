/** Which frames claim an address, and which don't. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arpProbe, claimOf, formatHardwareAddress } from './claims.ts';
import { gratuitousArp, unsolicitedNeighbourAdvertisement } from './frames.ts';

const station = Uint8Array.of(2, 0, 0, 0, 0, 7);

test('gratuitous ARP and ARP replies claim the sender address', () => {
  const frame = gratuitousArp(station, '10.42.0.240');
  assert.equal(claimOf(frame)?.address, '10.42.0.240');
  assert.equal(formatHardwareAddress(claimOf(frame)!.hardwareAddress), '02:00:00:00:00:07');
  const reply = frame.slice();
  reply[21] = 2;
  assert.equal(claimOf(reply)?.address, '10.42.0.240');
});

test('an ARP probe asks and claims nothing (RFC 5227 §2.1.1)', () => {
  const probe = arpProbe(station, '10.42.0.240');
  assert.equal(claimOf(probe), undefined);
  assert.deepEqual([...probe.subarray(38, 42)], [10, 42, 0, 240]);
  assert.deepEqual([...probe.subarray(28, 32)], [0, 0, 0, 0]);
});

test('a neighbour advertisement claims its target', () => {
  const frame = unsolicitedNeighbourAdvertisement(station, 'fd00::240', false);
  assert.equal(claimOf(frame)?.address, 'fd00::240');
  // RFC 4861 §7.1.2: one that came through a router is forged.
  frame[21] = 254;
  assert.equal(claimOf(frame), undefined);
});

test('a solicitation claims its target only from the unspecified address (RFC 4862 §5.4.3)', () => {
  const frame = unsolicitedNeighbourAdvertisement(station, 'fd00::240', false);
  frame[54] = 135;
  assert.equal(claimOf(frame), undefined);
  frame.fill(0, 22, 38);
  assert.equal(claimOf(frame)?.address, 'fd00::240');
});

test('no bytes make it throw', () => {
  const etherTypes = fc.constantFrom([8, 6, 0, 1, 8, 0, 6, 4], [0x86, 0xdd, 0x60, 0, 0, 0, 0, 32]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), etherTypes, (bytes, header) => {
      const frame = bytes.slice();
      if (frame.length >= 20) frame.set(header, 12);
      const claim = claimOf(frame);
      assert.ok(claim === undefined || claim.hardwareAddress.length === 6);
    }),
  );
});
