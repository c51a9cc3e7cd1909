/** Messages against what Keepalived 2.2.7 puts on the wire (golden/, captured frames), and what a receiver must refuse. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { wrapAuthenticated } from './ah.ts';
import { gratuitousArp, unsolicitedNeighbourAdvertisement } from './frames.ts';
import { hmacMd5, md5 } from './md5.ts';
import { checksumForm, decodeAdvertisement, encodeAdvertisement, passwordBytes, virtualRouterIdOf } from './packet.ts';
import { type PacketFacts, type ReceiveContext, receiveAdvertisement } from './receive.ts';
import type { VirtualRouterSettings } from './settings.ts';
import { settingsWith, virtualAddress } from './test-settings.ts';

const frames: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('golden/keepalived-2.2.7.json', import.meta.url), 'utf8'),
);
const frame = (name: string) => Uint8Array.from(Buffer.from(frames[name]!, 'hex'));
const payloadOf = (name: string) => frame(name).subarray(name.startsWith('six') ? 54 : 34);
const multicast = { source: '10.42.0.1', destination: '224.0.0.18' };

/** The instances of the captured configuration. */
const captured: Readonly<Record<string, { settings: VirtualRouterSettings; priority: number; to: typeof multicast }>> =
  {
    seed: { settings: settingsWith(), priority: 101, to: multicast },
    pass: {
      settings: settingsWith({
        virtualRouterId: 52,
        addresses: [virtualAddress('10.42.0.241'), virtualAddress('10.42.0.242')],
        authentication: { kind: 'pass', password: 'geheim12345' },
      }),
      priority: 120,
      to: multicast,
    },
    three: {
      settings: settingsWith({
        virtualRouterId: 54,
        version: 3,
        advertisementIntervalMs: 500,
        addresses: [virtualAddress('10.42.0.244')],
      }),
      priority: 100,
      to: multicast,
    },
    quarter: {
      settings: settingsWith({
        virtualRouterId: 55,
        version: 3,
        advertisementIntervalMs: 250,
        addresses: [virtualAddress('10.42.0.245')],
      }),
      priority: 100,
      to: multicast,
    },
    six: {
      settings: settingsWith({
        virtualRouterId: 56,
        version: 3,
        family: 'ipv6',
        transport: { kind: 'multicast', group: 'ff02::12', source: undefined },
        addresses: [virtualAddress('fe80::56'), virtualAddress('2001:db8::56')],
      }),
      priority: 255,
      to: { source: 'fe80::ff:fe00:1', destination: 'ff02::12' },
    },
    unicast: {
      settings: settingsWith({
        virtualRouterId: 57,
        version: 3,
        addresses: [virtualAddress('10.42.0.247')],
        transport: {
          kind: 'unicast',
          source: undefined,
          peers: [{ address: '10.42.0.1', ttlMin: undefined, ttlMax: undefined }],
          checkSource: true,
          ttl: undefined,
        },
      }),
      priority: 200,
      to: { source: '10.42.0.1', destination: '10.42.0.2' },
    },
  };
const nobody: ReceiveContext = { ownAddress: '10.42.0.9', followed: undefined, sequence: 0 };

for (const [name, { settings, priority, to }] of Object.entries(captured)) {
  test(`${name}: the bytes are Keepalived's, and Keepalived's are accepted`, () => {
    assert.deepEqual(encodeAdvertisement(settings, priority, to), payloadOf(name));
    assert.deepEqual(encodeAdvertisement(settings, 0, to), payloadOf(`${name}-resign`));
    const received = receiveAdvertisement({ ...to, ttl: 255, payload: payloadOf(name) }, settings, nobody);
    assert.equal(received.kind, 'accepted');
    assert.deepEqual(received.kind === 'accepted' && received.heard, {
      source: to.source,
      priority,
      advertisementIntervalMs: settings.advertisementIntervalMs,
    });
    assert.deepEqual(received.kind === 'accepted' && received.remarks, []);
    assert.equal(virtualRouterIdOf(payloadOf(name)), settings.virtualRouterId);
  });
}

const ahSettings = settingsWith({
  virtualRouterId: 53,
  addresses: [virtualAddress('10.42.0.243')],
  authentication: { kind: 'ah', password: 'abc' },
});

test('AH: the header and digest are Keepalived’s, and replayed or forged ones are refused', () => {
  const message = encodeAdvertisement(ahSettings, 130, multicast);
  const envelope = { ...multicast, ttl: 255, identification: 1 };
  assert.deepEqual(wrapAuthenticated(message, passwordBytes('abc'), 1, envelope, false), payloadOf('ah'));
  const packet = { ...envelope, payload: payloadOf('ah') };
  const first = receiveAdvertisement(packet, ahSettings, nobody);
  assert.equal(first.kind === 'accepted' && first.sequence, 1);
  const again = receiveAdvertisement(packet, ahSettings, { ...nobody, sequence: 1 });
  assert.equal(again.kind === 'rejected' && again.error, 'authentication-failure');
  const forged = payloadOf('ah').slice();
  forged[26]! ^= 1; // the priority
  const refused = receiveAdvertisement({ ...packet, payload: forged }, ahSettings, nobody);
  assert.equal(refused.kind === 'rejected' && refused.error, 'authentication-failure');
  const short = receiveAdvertisement({ ...packet, payload: forged.subarray(0, 20) }, ahSettings, nobody);
  assert.equal(short.kind === 'rejected' && short.error, 'length');
});

test('MD5 and HMAC-MD5 agree with another implementation', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 100 }), (message, key) => {
      assert.deepEqual(md5(message), Uint8Array.from(createHash('md5').update(message).digest()));
      assert.deepEqual(hmacMd5(key, message), Uint8Array.from(createHmac('md5', key).update(message).digest()));
    }),
  );
});

test('announcements: gratuitous ARP and unsolicited neighbour advertisement are Keepalived’s', () => {
  const hardwareAddress = Uint8Array.of(2, 0, 0, 0, 0, 1);
  assert.deepEqual(gratuitousArp(hardwareAddress, '10.42.0.240'), frame('gratuitous-arp'));
  assert.deepEqual(
    unsolicitedNeighbourAdvertisement(hardwareAddress, 'fe80::56', false),
    frame('neighbour-advertisement'),
  );
});

// ------------------------------------------------------------ what is refused

const version3 = captured['three']!;
const version2 = captured['seed']!;

function refusal(settings: VirtualRouterSettings, packet: Partial<PacketFacts>, context = nobody) {
  const payload = encodeAdvertisement(settings, 100, multicast);
  const received = receiveAdvertisement({ ...multicast, ttl: 255, payload, ...packet }, settings, context);
  return received.kind === 'rejected' ? received.error : received.remarks.join();
}

function changed(settings: VirtualRouterSettings, change: Partial<VirtualRouterSettings>): Partial<PacketFacts> {
  return { payload: encodeAdvertisement({ ...settings, ...change }, 100, multicast) };
}

test('RFC 9568 §7.1: TTL, version, type, length, checksum, VRID', () => {
  const good = encodeAdvertisement(version3.settings, 100, multicast);
  const damaged = (at: number, value: number) => ({ payload: good.with(at, value) });
  assert.equal(refusal(version3.settings, {}), '');
  assert.equal(refusal(version3.settings, { ttl: 254 }), 'ttl');
  assert.equal(refusal(version3.settings, changed(version3.settings, { version: 2 })), 'version');
  assert.equal(refusal(version3.settings, damaged(0, 0x32)), 'type');
  assert.equal(refusal(version3.settings, { payload: good.subarray(0, 11) }), 'length');
  assert.equal(refusal(version3.settings, { payload: good.subarray(0, 7) }), 'length');
  assert.equal(refusal(version3.settings, damaged(2, 101)), 'checksum');
  assert.equal(refusal(version3.settings, changed(version3.settings, { virtualRouterId: 9 })), 'virtual-router-id');
  assert.equal(refusal(version3.settings, {}, { ...nobody, ownAddress: '10.42.0.1' }), 'own');
});

test('facts 3: another interval is an error in version 2, a remark in version 3', () => {
  const slower = { advertisementIntervalMs: 2000 };
  assert.equal(refusal(version2.settings, changed(version2.settings, slower)), 'interval');
  assert.equal(refusal(version3.settings, changed(version3.settings, slower)), 'interval-differs');
});

test('facts 4 and 5: both checksum habits are taken, and Keepalived’s old unicast one', () => {
  const plain = { checksumAsV2: true };
  assert.equal(refusal(version3.settings, changed(version3.settings, plain)), 'checksum-plain');
  assert.equal(refusal({ ...version3.settings, ...plain }, changed(version3.settings, plain)), '');
  assert.equal(refusal({ ...version3.settings, ...plain }, changed(version3.settings, {})), '');
  const unicast = captured['unicast']!;
  const payload = encodeAdvertisement(unicast.settings, 100, { ...unicast.to, destination: '224.0.0.18' });
  assert.equal(refusal(unicast.settings, { ...unicast.to, payload }), 'checksum-old-unicast');
});

test('facts 7: the checksum of version 2 covers the password, of which eight characters count', () => {
  const { settings } = captured['pass']!;
  const payload = encodeAdvertisement(settings, 100, multicast);
  assert.equal(refusal(settings, { payload: payload.with(16, 1) }), 'authentication-failure');
  assert.equal(refusal(settings, { payload: payload.with(23, payload[23]! ^ 1) }), 'authentication-failure');
  const password = (text: string) => changed(settings, { authentication: { kind: 'pass', password: text } });
  assert.equal(refusal(settings, password('geheim12-other')), '');
  assert.equal(refusal(settings, password('geheim1')), 'authentication-failure');
  assert.equal(refusal(settings, changed(settings, { authentication: { kind: 'none' } })), 'authentication-mismatch');
  assert.equal(refusal(version2.settings, password('x')), 'virtual-router-id');
  assert.equal(refusal(settings, { payload: payload.with(4, 7) }), 'authentication-type');
  const decoded = decodeAdvertisement(payload, 'ipv4')!;
  assert.equal(checksumForm(payload, decoded, 'ipv4', multicast, '224.0.0.18'), 'plain');
  const tampered = payload.with(23, payload[23]! ^ 1);
  assert.equal(checksumForm(tampered, decoded, 'ipv4', multicast, '224.0.0.18'), undefined);
});

test('facts 8 and 9: TTL counts on multicast only, and the instance’s cast is kept to', () => {
  const { settings, to } = captured['unicast']!;
  const payload = encodeAdvertisement(settings, 100, to);
  assert.equal(refusal(settings, { ...to, payload, ttl: 3 }), '');
  assert.equal(refusal(settings, { payload }), 'cast');
  assert.equal(refusal(version3.settings, { destination: '10.42.0.2' }), 'cast');
  assert.equal(refusal(settings, { ...to, source: '10.42.0.7', payload }), 'source');
  const peers = [{ address: '10.42.0.1', ttlMin: 250, ttlMax: 255 }];
  const strict = { ...settings, transport: { ...settings.transport, peers } } as VirtualRouterSettings;
  assert.equal(refusal(strict, { ...to, payload, ttl: 249 }), 'ttl');
  assert.equal(refusal(strict, { ...to, payload, ttl: 250 }), '');
});

test('an owner that is told to ignore advertisements discards good ones', () => {
  const owner = { ...version3.settings, basePriority: 255, ownerIgnoresAdvertisements: true };
  assert.equal(refusal(version3.settings, {}, { ...nobody, active: true }), '');
  assert.equal(refusal(owner, {}, { ...nobody, active: true }), 'owner');
  assert.equal(refusal(owner, {}, { ...nobody, active: false }), '', 'while somebody else holds the addresses');
});

test('facts 10: padding after the message is no error', () => {
  const payload = new Uint8Array(26);
  payload.set(encodeAdvertisement(version2.settings, 100, multicast));
  payload.fill(0xa5, 20);
  assert.equal(refusal(version2.settings, { payload }), '');
  const longer = new Uint8Array(27);
  longer.set(payload);
  assert.equal(refusal(version2.settings, { payload: longer }), 'length', 'no frame is padded so far');
});

test('facts 11: another address list is dropped as by 2.2.7, or taken as from 2.3.3, or trusted from whom we follow', () => {
  const { settings } = version2;
  const other = changed(settings, { addresses: [virtualAddress('10.42.0.1')] });
  const more = changed(settings, { addresses: [...settings.addresses, virtualAddress('10.42.0.1')] });
  assert.equal(refusal(settings, other), 'address-list');
  assert.equal(refusal(settings, more), 'address-list');
  assert.equal(refusal({ ...settings, addressListMismatchAccepted: true }, more), 'address-list-differs');
  const skipping = { ...settings, skipCheckAdvertisedAddresses: true };
  assert.equal(refusal(skipping, other), 'address-list');
  assert.equal(refusal(skipping, other, { ...nobody, followed: '10.42.0.1' }), '');
  const two = [virtualAddress('10.42.0.1'), virtualAddress('10.42.0.2')];
  assert.equal(refusal({ ...settings, addresses: two }, changed(settings, { addresses: two.toReversed() })), '');
});

test('facts 6: the pseudo-header of IPv6 is part of the checksum', () => {
  const { settings, to } = captured['six']!;
  const payload = encodeAdvertisement(settings, 100, to);
  assert.equal(refusal(settings, { ...to, payload }), '');
  assert.equal(refusal(settings, { ...to, source: 'fe80::2', payload }), 'checksum');
});

test('facts 35: no address at all can be written and read', () => {
  const none = { ...version2.settings, addresses: [] };
  assert.equal(refusal(none, {}), '');
});

test('no bytes make the reader throw, and only whole messages with the right checksum pass', () => {
  const all = [...Object.values(captured).map(({ settings }) => settings), ahSettings];
  const header = fc.record({ ttl: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 80 }) });
  fc.assert(
    fc.property(fc.constantFrom(...all), header, (settings, { ttl, payload }) => {
      const received = receiveAdvertisement({ ...multicast, ttl, payload }, settings, nobody);
      assert.equal(received.kind, 'rejected');
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.nat(11), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const good = encodeAdvertisement(version3.settings, 100, multicast);
      const payload = good.with(at, good[at]! ^ flip);
      assert.notEqual(refusal({ ...version3.settings, virtualRouterId: payload[1]! }, { payload }), '');
    }),
  );
});
