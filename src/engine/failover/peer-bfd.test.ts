/** Sessions that nobody wrote and the routers that they are for: who is told by them, and when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover, virtualDiscriminator } from '../../../test/fixtures/virtual-failover.ts';
import type { ControlPacket } from '../../core/bfd/packet.ts';
import type { RouterDriver } from './router-driver.ts';

const neighbour: ControlPacket = {
  state: 'down',
  diagnostic: 0,
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 2,
  myDiscriminator: 11,
  yourDiscriminator: 0,
  desiredMinTxMicros: 50_000,
  requiredMinRxMicros: 50_000,
  requiredMinEchoRxMicros: 0,
};

const instance = (number: number, words = '') => `vrrp_instance VI_${number} {
    interface eth0
    virtual_router_id 5${number}
    priority 100
    ${words}
    virtual_ipaddress { 10.42.0.24${number}/24 }
  }
`;

// The other way round a node that dies in between is watched by nobody any more and has not resigned: 3.6 s, in one of twenty trials.
test('a balancer that died: the node resigns before it takes its BFD leave', () => {
  const world = new VirtualFailover(instance(1));
  world.pass(5_000);
  assert.equal(world.failover.drivers[0]!.machine.stateKind, 'active');
  world.hearBfd(neighbour);
  world.pass(10);
  assert.ok(world.order.includes('BFD init'), world.order.join());
  world.order.length = 0;
  world.failover.serving(false);
  assert.deepEqual(world.order, ['VRRP 0', 'BFD admin-down']);
});

test('no_peer_bfd: what the session of another router says of the same host is not for this one', () => {
  const world = new VirtualFailover(instance(1) + instance(2, 'no_peer_bfd'));
  const [heeds, ignores] = world.failover.drivers as [RouterDriver, RouterDriver];
  for (const { settings } of [heeds, ignores]) world.hear(settings, 200);
  // Its answers until the session is up (RFC 5880 §6.2), and then nothing more.
  const yourDiscriminator = virtualDiscriminator;
  world.hearBfd({ ...neighbour, state: 'init', yourDiscriminator });
  world.hearBfd({ ...neighbour, state: 'up', final: true, yourDiscriminator });
  world.pass(1_000);
  assert.deepEqual(
    [heeds, ignores].map(({ machine }) => machine.stateKind),
    ['active', 'backup'],
  );
  world.pass(3_000);
  assert.equal(ignores.machine.stateKind, 'active');
});
