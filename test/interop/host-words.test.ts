/** Words about the host that the daemon runs on: files, processors, namespaces, interfaces, sockets. Where it can be compared, with Keepalived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 15_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip');
const withKeepalived = skip || needs('keepalived');

const instance = (name: string, id: number, words: string, more = '') => `vrrp_instance ${name} {
  interface eth0
  version 3
  virtual_router_id ${id}
  priority 100
  advert_int 0.1
  garp_master_delay 0
  garp_master_repeat 1
  ${words}
  virtual_ipaddress {
    10.42.0.${id}/24
    ${more}
  }
}
`;

async function onHost<T>(text: string, play: (host: TestHost, lab: TestLab) => Promise<T>): Promise<T> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    host.write('/run/vrrp.conf', text);
    return await play(host, lab);
  } finally {
    await lab.close();
  }
}

const active = (daemon: Program) => daemon.printed(/Entering MASTER STATE/, 15_000);

const files = `instance lb
global_defs {
  script_user root
  data_use_instance
  umask 027
  disable_local_igmp
}
vrrp_track_process proxy {
  process haproxy
}
${instance('web', 51, 'notify "/run/notify.sh"')}`;

for (const kind of ['evergate', 'keepalived'] as const)
  test(
    `${kind}: pid files, dumps and scripts' files by instance, data_use_instance and umask; disable_local_igmp`,
    {
      skip: kind === 'evergate' ? skip : withKeepalived,
      timeout: 60_000,
    },
    () =>
      onHost(files, async (host) => {
        host.write('/run/notify.sh', '#!/bin/sh\ntouch /run/made\n');
        host.run('chmod 755 /run/notify.sh');
        const words = ['-f', '/run/vrrp.conf', '-l', '-D', '-n'];
        // Without options that name the pid files.
        const daemon =
          kind === 'evergate' ? startDaemon('evergate', host, '/run/vrrp.conf') : host.start(['keepalived', ...words]);
        await active(daemon);
        const mode = (path: string) => host.run(`stat -c %a ${path}`).trim();
        assert.equal(mode('/run/keepalived/keepalived_lb.pid'), '644');
        assert.equal(mode('/run/keepalived/vrrp_lb.pid'), '644');
        const igmp = () => host.run('sysctl -n net.ipv4.igmp_link_local_mcast_reports').trim();
        assert.equal(igmp(), '0');
        daemon.signalFirst('SIGUSR1');
        await until(() => host.run('ls /tmp').includes('keepalived.lb.data'), 'the dump');
        assert.equal(mode('/tmp/keepalived.lb.data'), '640');
        await until(() => host.run('ls /run').includes('made'), "the script's file");
        assert.equal(mode('/run/made'), '640');
        await stop(daemon);
        assert.equal(igmp(), '1');
        assert.equal(host.run('find /run -name *lb.pid'), '');
      }),
  );

test('dumps where state_file_location and its kin say, JSON in version 2', { skip, timeout: 60_000 }, () =>
  onHost(
    `global_defs {
  stats_file_location /run/
  json_file_location /run/vrrp.json
  json_version 2
}
vrrp_track_process proxy {
  process sleep
  quorum 2
}
${instance('web', 51, '')}`,
    async (host) => {
      const sleeper = host.start(['sleep', '600']);
      const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
      await active(daemon);
      daemon.signal('SIGUSR2');
      await until(() => host.run('ls /run').includes('keepalived.stats'), 'the statistics');
      assert.match(host.run('cat /run/keepalived.stats'), /VRRP Instance: web/);
      host.run(`kill -36 ${host.run('pgrep -f evergate-vrrp').split('\n')[0]}`);
      await until(() => host.run('ls /run').includes('vrrp.json'), 'the JSON');
      const json = JSON.parse(host.run('cat /run/vrrp.json')) as {
        vrrp: { data: { iname: string } }[];
        track_process: Record<string, unknown>[];
      };
      assert.equal(json.vrrp[0]?.data.iname, 'web');
      assert.deepEqual(
        [
          json.track_process[0]?.['process'],
          json.track_process[0]?.['current_processes'],
          json.track_process[0]?.['have_quorum'],
        ],
        ['sleep', 1, false],
      );
      sleeper.signal('SIGTERM');
      assert.equal(await stop(daemon), 0);
    },
  ),
);

test('net_namespace: the daemon lives in it, and is found there', { skip, timeout: 60_000 }, () =>
  onHost(`net_namespace blue\n${instance('web', 51, '')}`, async (host) => {
    host.run('ip netns add blue');
    host.run('ip link add eth0 netns blue type veth peer name far netns blue');
    for (const words of ['addr add 10.42.0.74/24 dev eth0', 'link set far up', 'link set eth0 up', 'link set lo up'])
      host.run(`ip -n blue ${words}`);
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await active(daemon);
    await until(() => host.run('ip -n blue -o addr show').includes(' 10.42.0.51/'), 'the address');
    assert.equal(host.holds('10.42.0.51'), false);
    assert.equal(await stop(daemon), 0);
    host.write('/run/vrrp.conf', `net_namespace red\n${instance('web', 51, '')}`);
    const refused = startDaemon('evergate', host, '/run/vrrp.conf');
    assert.equal(await refused.ended, 1);
    assert.match(refused.output, /net_namespace red: ENOENT \(ip netns exec red evergate …\)/);
  }),
);

const bouncing = `interface_up_down_delays {
  eth0 0.5 0.1
}
${instance('web', 51, 'down_timer_adverts 10')}`;

for (const kind of ['evergate', 'keepalived'] as const satisfies Kind[])
  test(
    `${kind}: interface_up_down_delays: a cable that bounces is no fault, one that stays out is`,
    {
      skip: kind === 'evergate' ? skip : withKeepalived,
      timeout: 60_000,
    },
    () =>
      onHost(bouncing, async (host) => {
        const daemon = startDaemon(kind, host, '/run/vrrp.conf');
        await active(daemon);
        host.cable(false);
        host.cable(true);
        const pulledAt = performance.now();
        host.cable(false);
        await daemon.printed(/Entering FAULT STATE/, 10_000);
        assert.ok(performance.now() - pulledAt > 400, 'after the delay');
        assert.equal(daemon.output.match(/Entering FAULT STATE/g)?.length, 1);
        host.cable(true);
        await daemon.printed(/Entering FAULT STATE[\s\S]*Entering MASTER STATE/, 20_000);
        await stop(daemon);
      }),
  );

test('log_unknown_vrids: each sender is told of once', { skip, timeout: 60_000 }, () =>
  onHost(`global_defs {\n  log_unknown_vrids\n}\n${instance('web', 51, '')}`, async (host, lab) => {
    const other = await lab.host(['10.42.0.74/24']);
    other.write('/run/vrrp.conf', `${instance('web', 51, 'priority 200')}${instance('stranger', 99, '')}`);
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await active(daemon);
    const stranger = startDaemon('evergate', other, '/run/vrrp.conf');
    await daemon.printed(/Unknown VRID\(99\) received on interface\(eth0\) from 10\.42\.0\.74/);
    await daemon.printed(/Entering BACKUP STATE[\s\S]*Entering BACKUP STATE/);
    await Promise.all([stop(daemon), stop(stranger)]);
    assert.equal(daemon.output.match(/Unknown VRID/g)?.length, 1);
  }),
);

test('fifo_write_vrrp_states_on_reload: all states again', { skip, timeout: 60_000 }, () =>
  onHost(
    `global_defs {\n  notify_fifo /run/fifo\n  fifo_write_vrrp_states_on_reload\n}\n${instance('web', 51, '')}`,
    async (host) => {
      const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
      await until(() => host.run('ls /run').includes('fifo'), 'the pipe');
      await active(daemon);
      // The pipe is made anew with a reload, and keeps what nobody has read yet.
      daemon.signal('SIGHUP');
      await daemon.printed(/Reload finished/);
      const reader = host.start(['head', '-n', '1', '/run/fifo']);
      await reader.ended;
      assert.equal(reader.output, 'INSTANCE "web" MASTER 100\n');
      assert.equal(await stop(daemon), 0);
    },
  ),
);

for (const kind of ['evergate', 'keepalived'] as const)
  test(
    `${kind}: garp_extra_if all: addresses on another interface are announced again and again`,
    {
      skip: (kind === 'evergate' ? skip : withKeepalived) || needs('tcpdump'),
      timeout: 60_000,
    },
    () =>
      onHost(instance('web', 51, 'garp_extra_if all 1', '10.43.0.51/24 dev eth1'), async (host) => {
        host.run('ip link add eth1 type veth peer name far1');
        for (const words of ['addr add 10.43.0.73/24 dev eth1', 'link set far1 up', 'link set eth1 up'])
          host.run(`ip ${words}`);
        const tcpdump = host.start(['tcpdump', '-lni', 'far1', '--immediate-mode', 'arp']);
        await tcpdump.printed(/listening on/);
        const daemon = startDaemon(kind, host, '/run/vrrp.conf');
        await active(daemon);
        await tcpdump.printed(/(?:who-has 10\.43\.0\.51 \(ff[\s\S]*?){4}/, 15_000);
        await stop(daemon);
        tcpdump.signal('SIGTERM');
      }),
  );
