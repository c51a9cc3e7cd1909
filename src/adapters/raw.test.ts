/** The Packets port on a pair of real interfaces, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterNetworkNamespace, ip } from '../../test/namespaces/enter.ts';
import { needs } from '../../test/requirements.ts';
import type { ChannelOptions, ReceivedPacket } from '../engine/ports/packets.ts';
import { libc, linux } from './libc.ts';
import { NetlinkLinks } from './netlink-links.ts';
import { unwatchDescriptor, watchDescriptor } from './poll.ts';
import { RawPackets } from './raw.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');
const payload = Uint8Array.from([0x21, 51, 103, 1, 0, 1, 0x6c, 0xb0, 10, 42, 0, 240, 0, 0, 0, 0, 0, 0, 0, 0]);

test('protocol 112 on the wire', { skip }, async (suite) => {
  enterNetworkNamespace();
  ip('link add eth0 type veth peer name far0');
  ip('addr add 10.9.0.1/24 dev eth0');
  ip('addr add 10.9.1.2/24 dev far0');
  for (const name of ['eth0', 'far0']) {
    ip(`link set ${name} up`);
    ip(`-6 addr add fe80::${name === 'eth0' ? 1 : 2}/64 dev ${name} nodad`);
  }
  const links = new NetlinkLinks();
  // Both ends are in one network: without these the kernel takes what comes from its own address for forged.
  for (const name of ['all', 'eth0', 'far0']) {
    links.setParameter('ipv4', name, 'rp_filter', 0);
    links.setParameter('ipv4', name, 'accept_local', 1);
  }
  const packets = new RawPackets();
  const index = (name: string) => links.link(name)?.index ?? 0;
  const alive = setInterval(() => {}, 60_000);
  suite.after(() => {
    clearInterval(alive);
    packets.close();
    links.close();
  });
  const options = (name: string, change: Partial<ChannelOptions>): ChannelOptions => ({
    interfaceIndex: index(name),
    interfaceName: name,
    family: 'ipv4',
    protocol: 112,
    group: '224.0.0.18',
    source: name === 'eth0' ? '10.9.0.1' : '10.9.1.2',
    ttl: 255,
    ...change,
  });
  const channel = (chosen: ChannelOptions, received: (packet: ReceivedPacket) => void) => {
    const opened = packets.open(chosen, received);
    assert.ok('channel' in opened, JSON.stringify(opened));
    return opened.channel;
  };

  await suite.test('IPv4 multicast: heard once, with its header’s facts, and not by the sender', async () => {
    const own: ReceivedPacket[] = [];
    const sender = channel(options('eth0', {}), (packet) => own.push(packet));
    const { promise, resolve } = Promise.withResolvers<ReceivedPacket>();
    const hearer = channel(options('far0', {}), resolve);
    const frame = captureFrame(index('far0'), 0x0800);
    assert.equal(sender.send(payload, '224.0.0.18', 1), undefined);
    const packet = await promise;
    assert.deepEqual(packet, {
      interfaceIndex: index('far0'),
      family: 'ipv4',
      source: '10.9.0.1',
      destination: '224.0.0.18',
      ttl: 255,
      identification: 1,
      payload,
    });
    // As Keepalived 2.2.7 sends it: precedence 6, identification 1, no DF, TTL 255, the group's Ethernet address.
    const seen = await frame;
    assert.equal(hex(seen.subarray(0, 6)), '01005e000012');
    assert.equal(hex(seen.subarray(14, 24)), '45c0002800010000ff70');
    assert.equal(hex(seen.subarray(26, 34)), '0a090001e0000012');
    assert.equal(hex(seen.subarray(34)), hex(payload));
    assert.deepEqual(own, []);
    sender.close();
    hearer.close();
  });

  await suite.test('a receive buffer holds what was asked for, and the most where channels share it', () => {
    const heardOf = (...sizes: readonly (number | undefined)[]) => {
      let heard = 0;
      const sender = channel(options('eth0', { group: '224.0.0.99' }), () => {});
      const hearers = sizes.map((receiveBufferBytes, index) =>
        channel(options('far0', { group: '224.0.0.99', receiveBufferBytes }), () => {
          if (index === 0) heard++;
        }),
      );
      // Nothing is read while they come: this is one turn of the event loop.
      for (let sent = 1; sent <= 400; sent++) sender.send(payload, '224.0.0.99', sent);
      packets.receiveWaiting();
      for (const each of [sender, ...hearers]) each.close();
      return heard;
    };
    const usual = heardOf(undefined);
    const small = heardOf(4_096);
    assert.equal(usual, 400);
    assert.ok(small < 100, `${small} packets in 4096 bytes`);
    assert.equal(heardOf(4_096, 1_000_000), 400);
  });

  await suite.test('IPv6 multicast', async () => {
    const { promise, resolve } = Promise.withResolvers<ReceivedPacket>();
    const ipv6 = { family: 'ipv6', group: 'ff02::12' } as const;
    const sender = channel(options('eth0', { ...ipv6, source: 'fe80::1' }), () => {});
    const hearer = channel(options('far0', { ...ipv6, source: 'fe80::2' }), resolve);
    assert.equal(sender.send(payload, 'ff02::12', 1), undefined);
    const packet = await promise;
    assert.equal(packet.source, 'fe80::1');
    assert.equal(packet.destination, 'ff02::12');
    assert.equal(packet.ttl, 255);
    assert.deepEqual(packet.payload, payload);
    sender.close();
    hearer.close();
  });

  await suite.test('whole frames', async () => {
    const frame = captureFrame(index('far0'), 0x0806);
    const arp = new Uint8Array(42).fill(0xff, 0, 6);
    arp.set([2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1], 6);
    assert.equal(packets.sendFrame(index('eth0'), arp), undefined);
    assert.equal(hex((await frame).subarray(0, 42)), hex(arp));
    assert.equal(packets.sendFrame(4711, arp), 'ENXIO');
  });

  await suite.test('what can’t be opened says why', () => {
    assert.deepEqual(
      packets.open(options('eth0', { interfaceName: 'nothing0', interfaceIndex: 4711 }), () => {}),
      {
        failure: 'ENODEV',
      },
    );
  });
});

/** The next frame of that type which the interface receives. */
function captureFrame(interfaceIndex: number, etherType: number): Promise<Uint8Array> {
  const c = libc();
  assert.ok(c !== undefined);
  const protocol = ((etherType & 0xff) << 8) | (etherType >> 8);
  const fd = c.socket(linux.AF_PACKET, linux.SOCK_RAW | linux.SOCK_NONBLOCK, protocol);
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, linux.AF_PACKET, true);
  view.setUint16(2, protocol, true);
  view.setInt32(4, interfaceIndex, true);
  assert.equal(c.bind(fd, address, address.length), 0);
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const buffer = new Uint8Array(2048);
  watchDescriptor(fd, () => {
    const length = c.recvfrom(fd, buffer, buffer.length, linux.MSG_DONTWAIT, null, null);
    if (length <= 0) return;
    unwatchDescriptor(fd);
    c.close(fd);
    resolve(buffer.slice(0, length));
  });
  return promise;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
