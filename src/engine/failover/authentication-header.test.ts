/** `auth_type AH`: the sequence numbers of two nodes that take the address from each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover } from '../../../test/fixtures/virtual-failover.ts';
import { wrapAuthenticated } from '../../core/vrrp/ah.ts';
import { encodeAdvertisement, passwordBytes } from '../../core/vrrp/packet.ts';

const text = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 110
  authentication {
    auth_type AH
    auth_pass secret
  }
  virtual_ipaddress { 10.42.0.240/24 }
}`;
const sequenceOf = (payload: Uint8Array) => Buffer.from(payload).readUInt32BE(8);

test('who takes over goes on with the numbers of the one before it', () => {
  const world = new VirtualFailover(text);
  const { settings } = world.failover.drivers[0];
  const hear = (priority: number, sequence: number) => {
    const envelope = { source: '10.42.0.38', destination: '224.0.0.18', ttl: 255, identification: 1 };
    const message = encodeAdvertisement(settings, priority, envelope);
    world.hearPayload(wrapAuthenticated(message, passwordBytes('secret'), sequence, envelope, false));
  };
  // This node was started again while the other one had been MASTER for a long time.
  hear(100, 5_000);
  world.pass(5_000);
  assert.equal(world.failover.drivers[0].machine.stateKind, 'active');
  const numbers = world.sent.map(sequenceOf);
  assert.ok(numbers.length > 1);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => 5_001 + index),
  );
  // What was said before, said again by somebody who recorded it, is refused; the other node's next one is not.
  const { statistics } = world.failover.drivers[0];
  hear(120, 5_000);
  assert.equal(statistics.errors['authentication-failure'], 1);
  assert.equal(world.failover.drivers[0].machine.stateKind, 'active');
  hear(120, numbers.at(-1)! + 1);
  assert.equal(world.failover.drivers[0].machine.stateKind, 'backup');
});
