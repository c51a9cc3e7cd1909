/** What a reload leaves as it is, and what it changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover } from '../../../test/fixtures/virtual-failover.ts';

const instance = (words: string) => `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 100
  ${words}
  virtual_ipaddress { 10.42.0.240/24 }
}`;
const peers = (...addresses: string[]) => instance(`unicast_peer {\n${addresses.join('\n')}\n}`);

/** MASTER by the first file, then a reload with the second: nothing of the address may be seen to move. */
function reloaded(before: string, after: string): string[] {
  const world = new VirtualFailover(before);
  world.pass(5_000);
  assert.equal(world.failover.drivers[0].machine.stateKind, 'active');
  world.sentTo.length = 0;
  world.sentPriorities.length = 0;
  world.reload(after);
  assert.equal(world.failover.drivers[0].machine.stateKind, 'active');
  assert.ok(world.addresses.some(({ address }) => address === '10.42.0.240'));
  world.pass(1_500);
  assert.ok(world.sentPriorities.length > 0 && !world.sentPriorities.includes(0));
  assert.equal(world.failover.drivers[0].statistics.becameActive, 1);
  return [...new Set(world.sentTo)];
}

test('another unicast peer is told of the MASTER that there is', () => {
  const sentTo = reloaded(peers('10.42.0.38'), peers('10.42.0.38', '10.42.0.39'));
  assert.deepEqual(sentTo, ['112 unicast 10.42.0.38', '112 unicast 10.42.0.39']);
});

test('from multicast to unicast and back, without giving the address up', () => {
  assert.deepEqual(reloaded(instance(''), peers('10.42.0.38')), ['112 unicast 10.42.0.38']);
  assert.deepEqual(reloaded(peers('10.42.0.38'), instance('')), ['112 multicast 224.0.0.18']);
});

test('another version, without giving the address up', () => {
  assert.deepEqual(reloaded(instance('version 2'), instance('version 3')), ['112 multicast 224.0.0.18']);
});

test('an authentication header is of another IP protocol: the socket is made anew', () => {
  const ah = instance('authentication {\nauth_type AH\nauth_pass secret\n}');
  assert.deepEqual(reloaded(instance(''), ah), ['51 multicast 224.0.0.18']);
  assert.deepEqual(reloaded(ah, instance('')), ['112 multicast 224.0.0.18']);
});

test('an address that a reload moves to another router was not removed by someone else; an operator still is someone else', () => {
  const two = (first: string, second: string) =>
    `${instance('').replace('10.42.0.240', first)}\n${instance('')
      .replace('VI_1', 'VI_2')
      .replace('51', '52')
      .replace('10.42.0.240', second)}`;
  const world = new VirtualFailover(two('10.42.0.240', '10.42.0.241'));
  world.pass(5_000);
  world.tellRemovals();
  world.reload(two('10.42.0.241', '10.42.0.242'));
  world.tellRemovals();
  const said = () => world.log.filter((line) => line.includes('removed by someone else'));
  assert.deepEqual(said(), []);
  assert.ok(world.addresses.some(({ address }) => address === '10.42.0.241'));
  world.deleteAddress('10.42.0.241');
  assert.equal(said().length, 1);
  assert.ok(world.addresses.some(({ address }) => address === '10.42.0.241'));
});

const router = (name: string, id: number) =>
  `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${id}\npriority 100\nvirtual_ipaddress { 10.42.0.${id}/24 }\n}\n`;
const group = (...names: string[]) => `vrrp_sync_group g {\ngroup {\n${names.join('\n')}\n}\n}\n`;
const a = router('a', 1);
const b = router('b', 2);

/** States and addresses by the first file, then after a reload with the second. */
function moved(before: string, after: string, between: (world: VirtualFailover) => void = () => {}) {
  const world = new VirtualFailover(before);
  world.pass(10_000);
  between(world);
  world.sentPriorities.length = 0;
  world.log.length = 0;
  world.reload(after);
  const states = () =>
    world.failover.drivers.map(({ settings, machine }) => `${settings.name} ${machine.stateKind}`).join();
  const held = () => world.addresses.map(({ address }) => address).filter((address) => /^10\.42\.0\.\d$/.test(address));
  return { world, states, held };
}

/** Nobody on the network could have noticed. */
function unnoticed({ world, states, held }: ReturnType<typeof moved>, expected: string): void {
  for (const ms of [0, 5_000]) {
    world.pass(ms);
    assert.equal(states(), expected);
    assert.deepEqual(held().sort(), ['10.42.0.1', '10.42.0.2']);
  }
  assert.ok(world.sentPriorities.length > 0 && !world.sentPriorities.includes(0));
  assert.deepEqual(
    world.failover.drivers.map(({ statistics }) => statistics.becameActive),
    [1, 1],
  );
}

test('active routers enter a sync group, leave it, and survive its end', () => {
  unnoticed(moved(a + b, group('a', 'b') + a + b), 'a active,b active');
  unnoticed(moved(group('a', 'b') + a + b, a + b), 'a active,b active');
  unnoticed(moved(group('a', 'b') + a + b, group('a') + a + b), 'a active,b active');
  unnoticed(moved(group('a') + a + b, group('a', 'b') + a + b), 'a active,b active');
});

test('a router under another name goes on, alone and in a sync group, and so do two that change names', () => {
  const c = router('c', 2);
  const renamed = moved(a + b, a + c);
  unnoticed(renamed, 'a active,c active');
  renamed.world.hear(renamed.world.failover.drivers[1].settings, 200);
  assert.ok(renamed.world.log.some((line) => line === '(c) Entering BACKUP STATE'));
  assert.ok(!renamed.world.log.some((line) => line.includes('(b)')));
  unnoticed(moved(group('a', 'b') + a + b, group('a', 'c') + a + c), 'a active,c active');
  unnoticed(moved(a + b, router('b', 1) + router('a', 2)), 'b active,a active');
});

test('who entered a group acts with it from now on, and who left it by itself', () => {
  const entered = moved(a + b, group('a', 'b') + a + b);
  entered.world.hear(entered.world.failover.drivers[0].settings, 200);
  assert.equal(entered.states(), 'a backup,b backup');
  const left = moved(group('a', 'b') + a + b, a + b);
  left.world.hear(left.world.failover.drivers[0].settings, 200);
  assert.equal(left.states(), 'a backup,b active');
});

test('backups stay backups in a group and out of it; who waited only for the others waits no longer', () => {
  const hear = (world: VirtualFailover, ...indexes: number[]) => {
    for (const index of indexes) world.hear(world.failover.drivers[index].settings, 200);
  };
  const into = moved(a + b, group('a', 'b') + a + b, (world) => hear(world, 0, 1));
  assert.equal(into.states(), 'a backup,b backup');
  into.world.pass(5_000);
  assert.equal(into.states(), 'a active,b active');
  const out = moved(group('a', 'b') + a + b, a + b, (world) => {
    hear(world, 0, 1);
    for (let second = 0; second < 5; second++) {
      world.pass(1_000);
      hear(world, 0);
    }
  });
  assert.equal(out.states(), 'a backup,b active');
  assert.deepEqual(out.held(), ['10.42.0.2']);
});

test('an active router and a backup that follows another node become one group there', () => {
  const { world, states } = moved(a + b, group('a', 'b') + a + b, (it) =>
    it.hear(it.failover.drivers[1].settings, 200),
  );
  assert.equal(states(), 'a backup,b backup');
  assert.deepEqual(world.sentPriorities, [0], 'the other node need not wait');
});

test("a fault of a member is no fault of who has left the group, and one of who has come is everybody's", () => {
  const handOver = (world: VirtualFailover) => world.failover.handover({ kind: 'handover' }, ['b']);
  const out = moved(group('a', 'b') + a + b, a + b, handOver);
  assert.equal(out.states(), 'a backup,b fault');
  out.world.pass(5_000);
  assert.equal(out.states(), 'a active,b fault');
  const into = moved(a + b, group('a', 'b') + a + b, handOver);
  assert.equal(into.states(), 'a fault,b fault');
  const stays = moved(group('a', 'b') + a + b, group('b', 'a') + a + b, handOver);
  assert.equal(stays.states(), 'a fault,b fault');
  assert.ok(!stays.world.log.some((line) => line.includes('BACKUP')), 'not for a moment anything else');
});
