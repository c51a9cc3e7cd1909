/**
 * Three booted Debian machines, two balancers and a web server: the playbooks make them a cluster, and then it has to survive what
 * machines do. Everything that ships is used as it ships: the release archive, the units, the roles.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { Cluster, changes, lint, nextCommit } from './cluster.ts';
import { answeredWithin, lostNothing, observed, type Seen, underLoad } from './load.ts';
import type { Machine } from './machine.ts';

let cluster: Cluster;
let lb1: Machine;
let lb2: Machine;

before(async () => {
  cluster = await Cluster.boot();
  ({ lb1, lb2 } = cluster);
});

after(async () => {
  await cluster?.close();
});

test('yamllint and ansible-lint (production profile) have nothing to say', lint);

step('the playbooks make a cluster of fresh machines; a second run or --check changes nothing', async () => {
  await cluster.play('site');
  assert.deepEqual(await cluster.holders(), ['lb1']);
  assert.equal(changes(await cluster.play('site'), 3), 0);
  assert.equal(changes(await cluster.play('site', ['--check']), 3), 0);
});

step('the service runs as a user of its own, hardened, and tells systemd how it is', async () => {
  const properties = await show(lb1, 'evergate', 'StatusText,NotifyAccess,User,NFileDescriptorStore');
  assert.match(properties, /StatusText=Serving/);
  assert.match(properties, /NFileDescriptorStore=1/);
  assert.doesNotMatch(
    await lb1.must(['ps', '-o', 'user=', '-C', 'evergate-run,evergate-balance,evergate-vrrp']),
    /root/,
  );
  const exposure = /level for evergate.service: (\d+\.\d)/.exec(
    (await lb1.run(['systemd-analyze', 'security', 'evergate', '--no-pager'])).stdout,
  );
  assert.ok(Number(exposure?.[1]) < 3, `systemd-analyze security says ${exposure?.[1]}`);
});

fault('the operator is told how the node is, and takes it out for maintenance', async () => {
  for (const machine of cluster.balancers) assert.match(await machine.must(['evergate', 'status']), /all is well/);
  // The firewall lets it through.
  assert.match(await lb2.must(['evergate', 'status']), /watched by BFD/);
  assert.match(await lb1.must(['evergate', 'handover']), /10\.42\.0\.38 took over/);
  assert.deepEqual(await cluster.holders(), ['lb2']);
  await lb1.must(['evergate', 'resume']);
  await cluster.becomes('lb1');
});

fault('a restart of the service refuses nobody, at the virtual address and at its own', async () => {
  lostNothing(
    await loaded('restart, seen at the virtual address', async () => {
      await lb1.must(['systemctl', 'restart', 'evergate']);
      await pause(1500);
    }),
  );
  // Nobody takes over here: connections wait in the socket that systemd keeps, as long as stop and start take.
  const patient = await underLoad(
    cluster.site,
    lb2.address,
    "restart, seen at the node's own address",
    async () => {
      await lb2.must(['systemctl', 'restart', 'evergate']);
      await pause(1500);
    },
    8000,
  );
  lostNothing(patient);
  await cluster.becomes('lb1');
});

fault('a reload of the service loses nothing, and one with a bad file is refused', async () => {
  lostNothing(
    await loaded('reload', async () => {
      await lb1.must(['systemctl', 'reload', 'evergate']);
      await lb1.must(['sh', '-c', 'cp /etc/evergate/haproxy.cfg /tmp/ && echo nonsense >> /etc/evergate/haproxy.cfg']);
      assert.notEqual((await lb1.run(['systemctl', 'reload', 'evergate'])).status, 0);
      await lb1.must(['sh', '-c', 'cat /tmp/haproxy.cfg > /etc/evergate/haproxy.cfg']);
    }),
  );
});

fault('a main process that stands still is killed and started again by the watchdog of systemd', async () => {
  const restarts = Number(await lb1.must(['systemctl', 'show', 'evergate', '-p', 'NRestarts', '--value']));
  const seen = await loaded('frozen main process', async () => {
    await lb1.must(['systemctl', 'kill', '--kill-who=main', '-s', 'STOP', 'evergate']);
    await restarted(lb1, 'evergate', restarts);
    await cluster.becomes('lb1');
  });
  answeredWithin(1000, seen);
  assert.match(await lb1.must(['journalctl', '-u', 'evergate', '--no-pager']), /Watchdog timeout/);
});

fault('power loss of the active balancer: the other one answers within a second, and hands back', async () => {
  answeredWithin(
    1000,
    await loaded('power loss', async () => {
      await lb1.powerLoss();
      await cluster.becomes('lb2');
      await pause(1500);
    }),
  );
  answeredWithin(
    1000,
    await loaded('the preferred node comes back', async () => {
      lb1.start();
      await lb1.booted();
      await cluster.becomes('lb1');
      await pause(1500);
    }),
  );
});

fault('the cable of the active balancer: pulled and put back', async () => {
  answeredWithin(
    1000,
    await loaded('cable pulled', async () => {
      await lb1.cable('down');
      await cluster.becomes('lb2', [lb2]);
      await pause(1500);
    }),
  );
  await lb1.cable('up');
  await cluster.becomes('lb1');
});

fault('an orderly stop loses nothing', async () => {
  lostNothing(
    await loaded('orderly stop and return', async () => {
      await lb1.must(['systemctl', 'stop', 'evergate']);
      await cluster.becomes('lb2');
      await pause(1500);
      await lb1.must(['systemctl', 'start', 'evergate']);
      await cluster.becomes('lb1');
      await pause(1500);
    }),
  );
});

fault('a frozen machine is replaced', async () => {
  answeredWithin(
    1000,
    await loaded('frozen machine', async () => {
      lb1.freeze(true);
      await cluster.becomes('lb2', [lb2]);
      await pause(1500);
    }),
  );
  lb1.freeze(false);
  await cluster.becomes('lb1');
});

fault('another release, one balancer at a time, without a lost request', async () => {
  const old = await lb1.must(['evergate', '--version']);
  const other = cluster.releases[old.includes(nextCommit) ? 0 : 1];
  const seen = await loaded('rolling upgrade', async () => {
    await cluster.play('upgrade', ['-e', `evergate_release_folder=${other}`]);
    await cluster.becomes('lb1');
  });
  assert.notEqual(await lb1.must(['evergate', '--version']), old);
  lostNothing(seen);
});

step('each half as a service of its own', async () => {
  const halves = ['evergate-balance', 'evergate-vrrp'];
  // `evergate.service` ends: it conflicts with its halves.
  await lb2.must(['systemctl', 'start', ...halves]);
  assert.equal((await lb2.run(['systemctl', 'is-active', 'evergate', ...halves])).stdout, 'inactive\nactive\nactive\n');
  assert.match(await show(lb2, 'evergate-balance', 'StatusText'), /=Serving/);
  assert.match(await show(lb2, 'evergate-balance', 'NFileDescriptorStore'), /=1/);
  await lb1.must(['systemctl', 'stop', 'evergate']);
  await cluster.becomes('lb2');
  for (const half of halves) {
    await lb2.must(['systemctl', 'kill', '--kill-who=main', '-s', 'STOP', half]);
    await restarted(lb2, half);
  }
  await cluster.becomes('lb2');
  await lb1.must(['systemctl', 'start', 'evergate']);
  await cluster.becomes('lb1');
  await lb2.must(['systemctl', 'start', 'evergate']);
  assert.equal(
    (await lb2.run(['systemctl', 'is-active', 'evergate', ...halves])).stdout,
    'active\ninactive\ninactive\n',
  );
});

step("the distribution's Keepalived beside the balancer, and back", async () => {
  const beside = ['-e', 'evergate_vrrp=keepalived'];
  await cluster.play('keepalived', beside);
  assert.equal(changes(await cluster.play('keepalived', beside), 2), 0);
  await cluster.becomes('lb1');
  const units = ['keepalived', 'evergate-balance', 'evergate'];
  for (const machine of cluster.balancers)
    assert.equal((await machine.run(['systemctl', 'is-active', ...units])).stdout, 'active\nactive\ninactive\n');
  // Its script finds the balancer gone, twice in a row.
  await lb1.must(['systemctl', 'stop', 'evergate-balance']);
  await cluster.becomes('lb2');
  await lb1.must(['systemctl', 'start', 'evergate-balance']);
  await cluster.becomes('lb1');
  await cluster.play('keepalived');
  await cluster.becomes('lb1');
  for (const machine of cluster.balancers)
    assert.equal((await machine.run(['systemctl', 'is-active', ...units])).stdout, 'inactive\ninactive\nactive\n');
});

step('reboot brings everything back', async () => {
  await cluster.play('reboot');
  await cluster.becomes('lb1');
  assert.match(await cluster.ask(), /server1/);
});

step('shutdown switches every machine off; switched on, they are a cluster again', async () => {
  await cluster.play('shutdown');
  for (const machine of cluster.machines) await machine.off();
  for (const machine of cluster.machines) machine.start();
  for (const machine of cluster.machines) await machine.booted();
  await cluster.becomes('lb1');
});

step('uninstall leaves nothing', async () => {
  await cluster.play('uninstall');
  for (const machine of cluster.balancers) {
    assert.equal(
      await machine.must(['find', '/etc', '/opt', '/usr', '/var', '/run', '-xdev', '-iname', '*evergate*']),
      '',
    );
    assert.equal((await machine.run(['getent', 'passwd', 'evergate'])).status, 2);
  }
  assert.deepEqual(await cluster.holders(), []);
});

function step(name: string, act: () => Promise<void>): void {
  test(name, async () => await told(act));
}

function fault(name: string, act: () => Promise<void>): void {
  test(name, async () => {
    await observed(
      async () => await told(act),
      async () => await cluster.heal(),
    );
  });
}

/** When it fails, what the balancers' services logged meanwhile is shown. */
async function told(act: () => Promise<void>): Promise<void> {
  const from = monotonicMs();
  try {
    await act();
  } catch (error) {
    console.log(await cluster.journals(monotonicMs() - from));
    throw error;
  }
}

async function loaded(what: string, act: () => Promise<void>): Promise<Seen> {
  return await underLoad(cluster.site, cluster.virtualAddress, what, act);
}

async function show(machine: Machine, unit: string, properties: string): Promise<string> {
  return await machine.must(['systemctl', 'show', unit, '-p', properties]);
}

/** Waits until systemd has started a unit by itself once more, and it has said that it is ready. */
async function restarted(machine: Machine, unit: string, before = 0): Promise<void> {
  let found = '';
  for (const until = monotonicMs() + 60_000; monotonicMs() < until; await pause(250)) {
    found = await show(machine, unit, 'NRestarts,ActiveState');
    if (Number(/NRestarts=(\d+)/.exec(found)?.[1]) > before && /ActiveState=active/.test(found)) return;
  }
  assert.fail(`${unit} on ${machine.name} was not started again: ${found}`);
}
