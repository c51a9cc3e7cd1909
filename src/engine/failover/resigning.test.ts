/** In what order a node says that it goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover } from '../../../test/fixtures/virtual-failover.ts';

test('a balancer that died: others hear that nothing goes on here before they hear that the address is free', () => {
  const world = new VirtualFailover(`vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress { 10.42.0.240/24 }
  }`);
  world.pass(5_000);
  assert.equal(world.failover.drivers[0]!.machine.stateKind, 'active');
  world.hearBfd({
    state: 'down',
    diagnostic: 0,
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: 2,
    myDiscriminator: 11,
    yourDiscriminator: 0,
    desiredMinTxMicros: 1_000_000,
    requiredMinRxMicros: 50_000,
    requiredMinEchoRxMicros: 0,
  });
  world.pass(10);
  assert.ok(world.order.includes('BFD init'), world.order.join());
  world.order.length = 0;
  world.failover.serving(false);
  assert.deepEqual(world.order, ['BFD admin-down', 'VRRP 0']);
});
