/** Sync groups: what their members track, and reloads that change who is in one: what stays keeps its state and addresses (keepalived.conf(5), SIGHUP). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualFailover } from '../../../test/fixtures/virtual-failover.ts';

const names = ['a', 'b', 'c'] as const;

/** Instances of these names, all in the group. */
function configuration(members: readonly string[]): string {
  const instances = members.map((name) => {
    const id = names.indexOf(name as 'a') + 1;
    return `vrrp_instance ${name} {\n interface eth0\n virtual_router_id ${id}\n priority 100\n advert_int 1\n virtual_ipaddress {\n 10.42.0.${id}/24\n }\n}\n`;
  });
  return `vrrp_sync_group g {\n group {\n ${members.join('\n ')}\n }\n}\n${instances.join('')}`;
}

function active(...members: readonly string[]) {
  const it = new VirtualFailover(configuration(members));
  it.pass(10_000);
  const states = () =>
    it.failover.drivers.map(({ settings, machine }) => `${settings.name} ${machine.stateKind}`).join();
  assert.doesNotMatch(states(), /backup/);
  const held = () => it.addresses.map(({ address }) => address).filter((address) => /^10\.42\.0\.\d$/.test(address));
  return { it, states, held };
}

test('a member that goes leaves the others as they are', () => {
  const { it, states, held } = active('a', 'b', 'c');
  const resigned = it.sentPriorities.filter((priority) => priority === 0).length;
  it.reload(configuration(['a', 'b']));
  assert.equal(states(), 'a active,b active');
  assert.ok(held().includes('10.42.0.1') && held().includes('10.42.0.2') && !held().includes('10.42.0.3'));
  assert.equal(it.sentPriorities.filter((priority) => priority === 0).length, resigned + 1, 'only c resigns');
});

test('a member that comes follows the others when it has listened', () => {
  const { it, states, held } = active('a', 'b');
  it.reload(configuration(['a', 'b', 'c']));
  assert.equal(states(), 'a active,b active,c backup');
  it.pass(3600);
  assert.equal(states(), 'a active,b active,c backup');
  it.pass(100);
  assert.equal(states(), 'a active,b active,c active');
  assert.deepEqual(held().sort(), ['10.42.0.1', '10.42.0.2', '10.42.0.3']);
  it.hear(it.failover.drivers[2]!.settings, 200);
  assert.equal(states(), 'a backup,b backup,c backup', 'one group from now on');
});

test('a member that comes and hears another active router takes the group there', () => {
  const { it, states } = active('a', 'b');
  it.reload(configuration(['a', 'b', 'c']));
  it.hear(it.failover.drivers[2]!.settings, 200);
  assert.equal(states(), 'a backup,b backup,c backup');
});

test('while one comes, another that has to leave takes all with it', () => {
  const { it, states } = active('a', 'b');
  it.reload(configuration(['a', 'b', 'c']));
  it.hear(it.failover.drivers[0]!.settings, 200);
  assert.equal(states(), 'a backup,b backup,c backup');
  it.pass(20_000);
  assert.equal(states(), 'a active,b active,c active');
});

test('what a group tracks counts for every member with its weight, and instead of what a member says of it', () => {
  // Keepalived 2.2.7 beside it: 120 and 120, with that word and without.
  for (const word of ['', 'sync_group_tracking_weight']) {
    const text = configuration(['a', 'b'])
      .replace('vrrp_sync_group g {', `vrrp_sync_group g {\n ${word}\n track_interface {\n eth0 weight 20\n }`)
      .replace('vrrp_instance a {', 'vrrp_instance a {\n track_interface {\n eth0 weight 7\n }');
    const it = new VirtualFailover(text);
    it.pass(10_000);
    assert.deepEqual(
      it.failover.drivers.map(({ machine }) => machine.priority),
      [120, 120],
      word,
    );
  }
});
