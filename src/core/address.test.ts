import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp, formatSocketAddress, ipBytes, parseIp, parsePrefix, prefixContains } from './address.ts';

test('IPv6 text is canonical (RFC 5952 §4 and §5)', () => {
  const canonical = (text: string): string | undefined => parseIp(text)?.host;
  assert.equal(canonical('2001:0DB8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
  assert.equal(canonical('2001:db8:0:1:1:1:1:1'), '2001:db8:0:1:1:1:1:1');
  assert.equal(canonical('0:0:0:0:0:0:0:0'), '::');
  assert.equal(canonical('::1'), '::1');
  assert.equal(canonical('1::'), '1::');
  assert.equal(canonical('::ffff:c000:0201'), '::ffff:192.0.2.1');
  assert.equal(canonical('64:ff9b::192.0.2.33'), '64:ff9b::c000:221');
});

test('what is no address is refused', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1.2.3',
    '1.2.3.4::',
    'fe80::1%eth0',
  ])
    assert.equal(parseIp(text), undefined, text);
});

test('any bytes survive the way through text, and Node agrees that it is an address', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (bytes) => {
        const text = formatIp(bytes);
        assert.ok(bytes.length === 4 ? isIPv4(text) : isIPv6(text));
        assert.deepEqual(ipBytes(text), bytes);
      },
    ),
  );
});

test('Node and we agree about every text', () => {
  const piece = fc.constantFrom('0', '1', 'ff', '255', '256', '.', ':', '::', '2001', 'g', '');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 16 }).map((parts) => parts.join('')),
      (text) => {
        const family = parseIp(text)?.family;
        assert.equal(family, isIPv4(text) ? 'ipv4' : isIPv6(text) ? 'ipv6' : undefined, text);
      },
    ),
    { numRuns: 2000 },
  );
});

test('prefixes: bits, masks, and what lies in them', () => {
  const eight = parsePrefix('10.1.2.3/8')!;
  assert.deepEqual(eight, { family: 'ipv4', network: '10.0.0.0', prefix: 8 });
  assert.deepEqual(parsePrefix('10.0.0.0/255.0.0.0'), eight);
  assert.ok(prefixContains(eight, '10.255.0.1') && !prefixContains(eight, '11.0.0.1'));
  assert.ok(prefixContains(eight, '::ffff:10.0.0.1') && !prefixContains(eight, '::1'));
  const link = parsePrefix('fe80::1/10')!;
  assert.ok(prefixContains(link, 'febf::1') && !prefixContains(link, 'fec0::1'));
  for (const text of ['10.0.0.0/33', '10.0.0.0/255.0.255.0', '::/129', '10.0.0.0/8/8', 'x/8'])
    assert.equal(parsePrefix(text), undefined, text);
});

test('socket addresses as operators read them', () => {
  assert.equal(formatSocketAddress({ family: 'ipv4', host: '10.0.0.1', port: 80 }), '10.0.0.1:80');
  assert.equal(formatSocketAddress({ family: 'ipv6', host: '::1', port: 80 }), '[::1]:80');
  assert.equal(formatSocketAddress({ family: 'unix', path: '\0x' }), 'abns@x');
});
