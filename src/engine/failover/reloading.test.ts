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
