/**
 * Leased addresses: a daemon that was killed or frozen can't go on holding them, and one that is well keeps them however busy its
 * machine is.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until } from '../until.ts';
import { crash, startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');
const virtual = ['10.42.0.240', 'fd42::240'];

/** Three intervals of 200 ms make a lease of 2 seconds; the kernel looks once a second. */
const leaseMsMax = 3_500;

function configuration(words = ''): string {
  const instance = (name: string, id: number, addresses: string) => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${id}
  advert_int 0.2
  ${words}
  virtual_ipaddress {
    ${addresses}
  }
}
`;
  return `global_defs {
  vrrp_version 3
}
${instance('four', 51, '10.42.0.240/24')}${instance('six', 52, 'fe80::5:1/64\n    fd42::240')}`;
}

async function withHost(text: string, play: (host: TestHost) => Promise<void>): Promise<void> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    host.write('/run/vrrp.conf', text);
    await play(host);
  } finally {
    await lab.close();
  }
}

const holdsAll = (host: TestHost) => virtual.every((address) => host.holds(address));
const holdsNone = (host: TestHost) => virtual.every((address) => !host.holds(address));

test(
  'a killed daemon loses its addresses, a frozen one too; thawed it takes them again',
  { skip, timeout: 60_000 },
  () =>
    withHost(configuration(), async (host) => {
      const first = startDaemon('evergate', host, '/run/vrrp.conf');
      await until(() => holdsAll(host), 10_000);
      assert.match(host.run('ip -4 addr show dev eth0'), /valid_lft [12]sec preferred_lft [12]sec/);
      crash(first);
      await first.ended;
      assert.ok(holdsAll(host), 'nobody else takes them away');
      await until(() => holdsNone(host), leaseMsMax);
      assert.ok(host.holds('10.42.0.73') && host.holds('fd42::73'), 'the own ones stay');

      const second = startDaemon('evergate', host, '/run/vrrp.conf');
      await until(() => holdsAll(host), 10_000);
      second.signal('SIGSTOP');
      await until(() => holdsNone(host), leaseMsMax);
      second.signal('SIGCONT');
      await until(() => holdsAll(host), 10_000);
      assert.match(second.output, /was not run for \d+ms, assuming that it was replaced/);
      assert.equal(await stop(second), 0);
      assert.ok(holdsNone(host));
    }),
);

test('on a busy machine no address of a daemon that is well is ever dropped', { skip, timeout: 60_000 }, () =>
  withHost(configuration(), async (host) => {
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await until(() => holdsAll(host), 10_000);
    const changes = host.start(['ip', 'monitor', 'address']);
    const busy: ChildProcess[] = [];
    for (let count = 0; count < availableParallelism() * 2; count++)
      busy.push(spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }));
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    for (const child of busy) child.kill('SIGKILL');
    assert.match(changes.output, /10\.42\.0\.240/, 'renewals are seen');
    assert.doesNotMatch(changes.output, /Deleted/);
    assert.ok(holdsAll(host));
    assert.equal(await stop(daemon), 0);
  }),
);

test('no_address_lease: the addresses stay, as with Keepalived', { skip, timeout: 60_000 }, () =>
  withHost(configuration('no_address_lease'), async (host) => {
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await until(() => holdsAll(host), 10_000);
    assert.doesNotMatch(host.run('ip addr show dev eth0'), /valid_lft \d/);
    assert.equal(await stop(daemon), 0);
  }),
);
