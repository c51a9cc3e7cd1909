/** What `trace` finds wrong with an advertisement. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeAdvertisement } from '../../core/vrrp/packet.ts';
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import { settingsWith, virtualAddress } from '../../core/vrrp/test-settings.ts';
import { type TracedPacket, traceAdvertisement } from './control-trace.ts';

const here = settingsWith({ authentication: { kind: 'pass', password: 'secret' } });

/** As another node with these settings sends it. */
function packet(theirs: Partial<VirtualRouterSettings> = {}, more: Partial<TracedPacket> = {}): TracedPacket {
  const envelope = { source: '10.42.0.38', destination: '224.0.0.18' };
  const payload = encodeAdvertisement({ ...here, ...theirs }, 100, envelope);
  return { ...envelope, family: 'ipv4', ttl: 255, protocol: 112, outgoing: false, payload, ...more };
}

test('a sound one: fields, and nothing wrong', () => {
  const traced = traceAdvertisement(packet(), [here]);
  assert.deepEqual(traced, {
    version: 2,
    virtualRouterId: 51,
    priority: 100,
    advertisementIntervalMs: 1000,
    authentication: 'pass',
    addresses: ['10.42.0.240'],
    checksum: 'plain',
    router: 'haproxy',
    problems: [],
    remarks: [],
  });
});

const wrong: readonly (readonly [string, TracedPacket, RegExp])[] = [
  ['TTL', packet({}, { ttl: 254 }), /TTL/],
  ['password', packet({ authentication: { kind: 'pass', password: 'other' } }), /invalid passwd/],
  ['no password', packet({ authentication: { kind: 'none' } }), /auth/],
  ['interval', packet({ advertisementIntervalMs: 2000 }), /mine=1 sec rcv'd=2 sec/],
  ['version', packet({ version: 3, authentication: { kind: 'none' } }), /wrong version/],
  [
    'addresses',
    packet({ addresses: [virtualAddress('10.42.0.241')] }),
    /does not advertise 10\.42\.0\.240, which this node has; advertises 10\.42\.0\.241, which this node has not/,
  ],
  ['authentication header', packet({}, { protocol: 51, payload: new Uint8Array(64) }), /version 0|VRID|wrong checksum/],
];

for (const [name, seen, expected] of wrong)
  test(`${name} that differs`, () => {
    const traced = traceAdvertisement(seen, [here]);
    assert.match([...traced.problems, ...traced.remarks].join('; '), expected);
  });

test('every reason is told, not only the first', () => {
  const seen = packet({
    authentication: { kind: 'pass', password: 'other' },
    addresses: [virtualAddress('10.42.0.240'), virtualAddress('10.42.0.9')],
  });
  assert.equal(traceAdvertisement(seen, [here]).problems.length, 2);
});

test('a damaged one', () => {
  const seen = packet();
  seen.payload[2] ^= 1;
  const traced = traceAdvertisement(seen, [here]);
  assert.equal(traced.checksum, 'wrong');
  assert.match(traced.problems[0], /checksum/);
});

test('another VRID is said, and not a problem', () => {
  const traced = traceAdvertisement(packet({ virtualRouterId: 52 }), [here]);
  assert.deepEqual(traced.problems, []);
  assert.match(traced.remarks[0], /VRID 52 is not one of this node's \(51\)/);
});

test('without a configuration only what is wrong for everybody is told', () => {
  assert.deepEqual(traceAdvertisement(packet(), undefined).problems, []);
  assert.match(traceAdvertisement(packet({}, { ttl: 1 }), undefined).problems[0], /TTL 1/);
});

test('what this node sends is not judged', () => {
  const seen = packet({ addresses: [] }, { outgoing: true });
  assert.deepEqual(traceAdvertisement(seen, [here]).problems, []);
});

test('a password that was withheld is not called wrong', () => {
  const withheld = settingsWith({ authentication: { kind: 'pass', password: '' } });
  assert.deepEqual(traceAdvertisement(packet(), [withheld]).problems, []);
});

test('version 3: interval and checksum habits are remarks', () => {
  const v3 = settingsWith({ version: 3 });
  const seen = packet({
    version: 3,
    authentication: { kind: 'none' },
    advertisementIntervalMs: 500,
    checksumAsV2: true,
  });
  const traced = traceAdvertisement(seen, [v3]);
  assert.deepEqual(traced.problems, []);
  assert.deepEqual(traced.remarks.toSorted(), ['checksum without pseudo-header', 'interval 0.5 s, here 1 s']);
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom('ipv4', 'ipv6'),
      fc.constantFrom(51, 112),
      (payload, family, protocol) => {
        const addresses =
          family === 'ipv4'
            ? { source: '10.0.0.1', destination: '224.0.0.18' }
            : { source: 'fe80::1', destination: 'ff02::12' };
        const seen = { ...addresses, family, ttl: 255, protocol, outgoing: false, payload } as const;
        traceAdvertisement(seen, [here, settingsWith({ authentication: { kind: 'ah', password: 'x' } })]);
        traceAdvertisement(seen, undefined);
      },
    ),
  );
});

test('a garbled one is not called short: it says more addresses than it has bytes', () => {
  const payload = new Uint8Array(275);
  payload.set([0x31, 51, 100, 200]);
  assert.deepEqual(traceAdvertisement(packet({}, { payload }), [here]).problems, [
    'garbled or cut off: it says 200 addresses, which do not fit into its 275 bytes',
  ]);
  assert.deepEqual(traceAdvertisement(packet({}, { payload: new Uint8Array(7) }), [here]).problems, [
    '7 bytes: too short for an advertisement',
  ]);
});

test('two hundred addresses are counted, not listed', () => {
  const many = Array.from({ length: 200 }, (_, index) => virtualAddress(`10.42.1.${index}`));
  const { problems, addresses } = traceAdvertisement(packet({ addresses: many }), [here]);
  assert.equal(addresses.length, 200);
  assert.match(problems.join(), /10\.42\.1\.7 … \(200 addresses\), which this node has not/);
  assert.doesNotMatch(problems.join(), /10\.42\.1\.8/);
});
