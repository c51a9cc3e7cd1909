/** The watch for address claims on a real link: what the kernel's filter lets through, and that it lets nothing else through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { enterNetworkNamespace, ip } from '../../test/namespaces/enter.ts';
import { needs } from '../../test/requirements.ts';
import { gratuitousArp, unsolicitedNeighbourAdvertisement } from '../core/vrrp/frames.ts';
import { arpWatch } from './arp-watch.ts';
import { NetlinkLinks } from './netlink-links.ts';
import { RawPackets } from './raw.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');
const station = Uint8Array.of(2, 0, 0, 0, 0, 7);

/** Two ends of a cable: frames sent into one come out of the other. */
function cable() {
  enterNetworkNamespace();
  ip('link add near type veth peer name far');
  ip('link set near up');
  ip('link set far up');
  const links = new NetlinkLinks();
  const index = (name: string) => links.link(name)!.index;
  return { near: index('near'), far: index('far'), close: () => links.close() };
}

test('claims of watched addresses come through, and no others', { skip, timeout: 20_000 }, async (t) => {
  const { near, far, close } = cable();
  const packets = new RawPackets();
  t.after(() => {
    packets.close();
    close();
  });
  const many = Array.from({ length: 250 }, (_, i) => `10.1.${i}.1`);
  for (const watched of [
    ['10.0.0.1'],
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', 'fd00::1', 'fd00::2'],
    [...many, '10.0.0.1'],
  ]) {
    const heard: string[] = [];
    let last = () => {};
    const all = new Promise<void>((resolve) => {
      last = resolve;
    });
    const watch = arpWatch.watch(near, watched, (address, hardwareAddress) => {
      assert.deepEqual([...hardwareAddress], [...station]);
      heard.push(address);
      if (heard.length === watched.length) last();
    });
    assert.ok('close' in watch);
    const strangers = ['10.0.0.4', '10.2.0.1', 'fd00::3', 'fd01::1'];
    for (const address of [...strangers, ...watched]) {
      const frame = address.includes(':')
        ? unsolicitedNeighbourAdvertisement(station, address, false)
        : gratuitousArp(station, address);
      assert.equal(packets.sendFrame(far, frame), undefined);
      // A burst beyond what is read at a time would be dropped unread, as it should be.
      if (address.endsWith('0.1')) await wait(1);
    }
    await all;
    assert.deepEqual(heard.toSorted(), watched.toSorted());
    watch.close();
  }
});

test('what this host sends itself is no claim', { skip, timeout: 20_000 }, async (t) => {
  const { near, far, close } = cable();
  const packets = new RawPackets();
  t.after(() => {
    packets.close();
    close();
  });
  const heard: string[] = [];
  let done = () => {};
  const marker = new Promise<void>((resolve) => {
    done = resolve;
  });
  const watch = arpWatch.watch(near, ['10.0.0.1', '10.0.0.9'], (address) => {
    heard.push(address);
    if (address === '10.0.0.9') done();
  });
  packets.sendFrame(near, gratuitousArp(station, '10.0.0.1'));
  packets.sendFrame(far, gratuitousArp(station, '10.0.0.9'));
  await marker;
  assert.deepEqual(heard, ['10.0.0.9']);
  assert.ok('close' in watch);
  watch.close();
});

test('an interface that is gone is a failure, not an exception', { skip }, () => {
  assert.deepEqual(
    arpWatch.watch(99_999, ['10.0.0.1'], () => {}),
    { failure: 'ENODEV' },
  );
});
