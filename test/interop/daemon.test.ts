/** What the VRRP daemon does on its own host, seen from outside: notify scripts, tracking, sync groups, reload, dumps, readiness. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { crash, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 10_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip');

/** Version 3 and 50 ms: elections take a fifth of a second. */
const instance = (name: string, id: number, more: string, addresses = `10.42.0.${id}`) => `vrrp_instance ${name} {
  interface eth0
  version 3
  virtual_router_id ${id}
  priority 100
  advert_int 0.05
  ${more}
  virtual_ipaddress {
    ${addresses}
  }
}
`;

async function onHost(
  text: string,
  play: (host: TestHost, daemon: Program, lab: TestLab) => Promise<void>,
): Promise<void> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    host.write('/run/notify.sh', '#!/bin/sh\necho "$@" >> /run/notified\n');
    host.run('chmod 755 /run/notify.sh');
    host.run('touch /run/notified');
    host.write('/run/vrrp.conf', text);
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await play(host, daemon, lab);
  } finally {
    await lab.close();
  }
}

const lines = (host: TestHost, path: string) => host.run(`cat ${path}`).trim().split('\n');

test('notify scripts get Keepalived’s arguments, pipes its lines; stop is told too', { skip, timeout: 30_000 }, () =>
  onHost(
    `global_defs {\nnotify_fifo /run/fifo\n}\n${instance(
      'web',
      51,
      'notify "/run/notify.sh any"\nnotify_master "/run/notify.sh m one two"\nnotify_stop "/run/notify.sh s"',
    )}`,
    async (host, daemon) => {
      await until(() => host.run('ls /run').includes('fifo'), 'the pipe');
      const reader = host.start(['cat', '/run/fifo']);
      await daemon.printed(/Entering MASTER STATE/);
      await until(() => host.holds('10.42.0.51'), 'the address');
      assert.equal(await stop(daemon), 0);
      assert.equal(host.holds('10.42.0.51'), false);
      await reader.ended;
      const told = lines(host, '/run/notified');
      for (const line of [
        'any INSTANCE web BACKUP 100',
        'any INSTANCE web MASTER 100',
        'm one two',
        'any INSTANCE web STOP 100',
        's',
      ])
        assert.ok(told.includes(line), `${line} is not in ${told}`);
      assert.match(reader.output, /INSTANCE "web" MASTER 100\n[\s\S]*INSTANCE "web" STOP 100\n/);
    },
  ),
);

test('a tracked interface, file and process move the priority or end in FAULT', { skip, timeout: 30_000 }, () =>
  onHost(
    `global_defs {\ndynamic_interfaces\n}
track_file maintenance {\nfile /run/weight\nweight 1\n}
vrrp_track_process balancer {\nprocess sleep\nweight 10\n}
${instance('web', 51, 'track_file {\nmaintenance\n}\ntrack_process {\nbalancer\n}\ntrack_interface {\nextra0\n}')}`,
    async (host, daemon) => {
      await daemon.printed(/Entering FAULT STATE/);
      host.run('ip link add extra0 type veth peer name extra1');
      host.run('ip link set extra1 up');
      host.run('ip link set extra0 up');
      await daemon.printed(/Entering MASTER STATE/);
      const sleeper = host.start(['sleep', '60']);
      await daemon.printed(/Changing effective priority from 100 to 110/);
      host.write('/run/weight', '-30\n');
      await daemon.printed(/Changing effective priority from 110 to 80/);
      sleeper.signal('SIGKILL');
      await daemon.printed(/Changing effective priority from 80 to 70/);
      const seen = daemon.output.length;
      host.run('ip link set extra0 down');
      await daemon.printed(/Entering FAULT STATE/, 10_000, seen);
      await until(() => !host.holds('10.42.0.51'), 'the address is gone');
    },
  ),
);

test('losing the link is FAULT, its return an election', { skip, timeout: 30_000 }, () =>
  onHost(instance('web', 51, ''), async (host, daemon) => {
    await daemon.printed(/Entering MASTER STATE/);
    host.cable(false);
    await daemon.printed(/Entering FAULT STATE/);
    assert.equal(host.holds('10.42.0.51'), false);
    const seen = daemon.output.length;
    host.cable(true);
    await daemon.printed(/Entering MASTER STATE/, 10_000, seen);
  }),
);

test(
  'an address that somebody removes is put back; one that an earlier life left is removed',
  { skip, timeout: 30_000 },
  () =>
    onHost(instance('web', 51, ''), async (host, daemon) => {
      await daemon.printed(/Entering MASTER STATE/);
      await until(() => host.holds('10.42.0.51'), 'the address');
      host.run('ip addr del 10.42.0.51/32 dev eth0');
      await daemon.printed(/was removed by someone else, putting it back/);
      await until(() => host.holds('10.42.0.51'), 'the address again');
      daemon.signal('SIGKILL');
      await daemon.ended;
      assert.equal(host.holds('10.42.0.51'), true);
      const next = startDaemon('evergate', host, '/run/vrrp.conf');
      await next.printed(/Entering BACKUP STATE/);
      assert.equal(host.holds('10.42.0.51'), false);
    }),
);

test('a sync group is active together or not at all', { skip, timeout: 30_000 }, () =>
  onHost(
    `global_defs {\ndynamic_interfaces\n}
vrrp_sync_group both {\ngroup {\none\ntwo\n}\nnotify "/run/notify.sh"\n}
${instance('one', 51, '')}${instance('two', 52, 'track_interface {\nextra0\n}')}`,
    async (host, daemon) => {
      await daemon.printed(/\(one\) Entering FAULT STATE/);
      host.run('ip link add extra0 type veth peer name extra1');
      host.run('ip link set extra1 up');
      host.run('ip link set extra0 up');
      await daemon.printed(/\(one\) Entering MASTER STATE/);
      await until(() => host.holds('10.42.0.51') && host.holds('10.42.0.52'), 'both addresses');
      const seen = daemon.output.length;
      host.run('ip link set extra0 down');
      await daemon.printed(/\(one\) Entering (FAULT|BACKUP) STATE/, 10_000, seen);
      await until(() => !host.holds('10.42.0.51') && !host.holds('10.42.0.52'), 'no address');
      await until(() => lines(host, '/run/notified').includes('GROUP both MASTER 0'), 'the group is told of');
    },
  ),
);

test(
  'a reload keeps state and moves an address from one instance to another in one go',
  { skip, timeout: 30_000 },
  () =>
    onHost(instance('one', 51, '', '10.42.0.51\n10.42.0.99') + instance('two', 52, ''), async (host, daemon) => {
      await daemon.printed(/\(one\) Entering MASTER STATE/);
      await daemon.printed(/\(two\) Entering MASTER STATE/);
      await until(() => host.holds('10.42.0.99'), 'the address');
      const seen = daemon.output.length;
      host.write('/run/vrrp.conf', instance('one', 51, '') + instance('two', 52, '', '10.42.0.52\n10.42.0.99'));
      daemon.signalFirst('SIGHUP');
      await daemon.printed(/Reload finished/, 10_000, seen);
      for (const address of ['10.42.0.51', '10.42.0.52', '10.42.0.99']) assert.ok(host.holds(address), address);
      assert.doesNotMatch(daemon.output.slice(seen), /Entering/);
      const again = daemon.output.length;
      host.write('/run/vrrp.conf', `${instance('one', 51, '')}nonsense here\n`);
      daemon.signalFirst('SIGHUP');
      await daemon.printed(/refused, going on/, 10_000, again);
      host.write('/run/vrrp.conf', instance('one', 51, ''));
      daemon.signalFirst('SIGHUP');
      await daemon.printed(/Reload finished/, 10_000, again);
      await until(
        () => !host.holds('10.42.0.52') && !host.holds('10.42.0.99'),
        'the second instance’s addresses are gone',
      );
      assert.ok(host.holds('10.42.0.51'));
    }),
);

test(
  'a reload that makes a sync group and gives new names is told of by nobody but what follows',
  { skip, timeout: 30_000 },
  () =>
    onHost(instance('one', 51, 'notify "/run/notify.sh"') + instance('two', 52, ''), async (host, daemon) => {
      await daemon.printed(/\(one\) Entering MASTER STATE/);
      await daemon.printed(/\(two\) Entering MASTER STATE/);
      await until(() => lines(host, '/run/notified').includes('INSTANCE one MASTER 100'), 'the script');
      const seen = daemon.output.length;
      host.run('truncate -s 0 /run/notified');
      const group = 'vrrp_sync_group both {\ngroup {\nfirst\ntwo\n}\n}\n';
      host.write('/run/vrrp.conf', group + instance('first', 51, 'notify "/run/notify.sh"') + instance('two', 52, ''));
      daemon.signalFirst('SIGHUP');
      await daemon.printed(/Reload finished/, 10_000, seen);
      for (const address of ['10.42.0.51', '10.42.0.52']) assert.ok(host.holds(address), address);
      assert.doesNotMatch(daemon.output.slice(seen), /Entering|sent 0 priority/);
      assert.equal(await stop(daemon), 0);
      assert.deepEqual(lines(host, '/run/notified'), ['INSTANCE first STOP 100']);
    }),
);

test('dumps: data, statistics, JSON', { skip, timeout: 30_000 }, () =>
  onHost(instance('web', 51, ''), async (host, daemon) => {
    await daemon.printed(/Entering MASTER STATE/);
    for (const signal of ['USR1', 'USR2', '36']) host.run(`pkill -${signal} -x evergate-vrrp`);
    await until(
      () => ['data', 'stats', 'json'].every((name) => host.run('ls /tmp').includes(`keepalived.${name}`)),
      'three files',
    );
    assert.match(host.run('cat /tmp/keepalived.data'), / VRRP Instance = web\n[\s\S]*State = MASTER\n/);
    assert.match(host.run('cat /tmp/keepalived.stats'), /Became master: 1\n/);
    const [web] = JSON.parse(host.run('cat /tmp/keepalived.json')) as { data: { iname: string; state: number } }[];
    assert.deepEqual([web.data.iname, web.data.state], ['web', 2]);
  }),
);

test('use_vmac: the address lives on a macvlan with the virtual hardware address', { skip, timeout: 30_000 }, () =>
  onHost(instance('web', 51, 'use_vmac'), async (host, daemon) => {
    await daemon.printed(/Entering MASTER STATE/);
    await until(() => host.run('ip addr show dev vrrp.51').includes('10.42.0.51/32'), 'the address');
    assert.match(host.run('ip link show dev vrrp.51'), /00:00:5e:00:01:33/);
    assert.equal(await stop(daemon), 0);
    assert.doesNotMatch(host.run('ip link'), /vrrp\.51/);
  }),
);

test('the launcher’s word: nothing before `serving`, resignation at once after it, an end when the launcher dies', {
  skip,
  timeout: 30_000,
}, async () => {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    host.write('/run/vrrp.conf', instance('web', 51, ''));
    const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));
    const child = spawn('nsenter', [...host.enter, evergate, 'vrrp', '-f', '/run/vrrp.conf', '--control-fd', '3'], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const daemon = new Program(child);
    const channel = child.stdio[3] as import('node:net').Socket;
    await new Promise((resolve) => channel.once('data', resolve));
    await daemon.printed(/Startup complete/);
    // Four down timers long nothing happens.
    await new Promise((resolve) => setTimeout(resolve, 800));
    assert.doesNotMatch(daemon.output, /Entering/);
    channel.write('serving\n');
    await daemon.printed(/Entering MASTER STATE/);
    await until(() => host.holds('10.42.0.51'), 'the address');
    channel.write('not-serving the balancer died\n');
    await daemon.printed(/sent 0 priority/);
    await until(() => !host.holds('10.42.0.51'), 'no address');
    let seen = daemon.output.length;
    channel.write('serving\nbeat\n');
    await daemon.printed(/Entering MASTER STATE/, 10_000, seen);
    seen = daemon.output.length;
    await daemon.printed(/no sign of life[\s\S]*Entering FAULT STATE/, 10_000, seen);
    channel.destroy();
    assert.equal(await daemon.ended, 0);
  } finally {
    await lab.close();
  }
});

test(
  'a second daemon on the host touches nothing; one that was killed is in nobody’s way',
  { skip, timeout: 30_000 },
  () =>
    onHost(instance('web', 51, ''), async (host, daemon) => {
      await daemon.printed(/Entering MASTER STATE/);
      await until(() => host.holds('10.42.0.51'), 'the address');
      const second = startDaemon('evergate', host, '/run/vrrp.conf');
      assert.equal(await second.ended, 1);
      assert.match(second.output, /daemon is already running \(process \d+\): stop it first/);
      assert.ok(host.holds('10.42.0.51'));
      crash(daemon);
      await daemon.ended;
      const third = startDaemon('evergate', host, '/run/vrrp.conf');
      await third.printed(/Entering MASTER STATE/);
    }),
);
