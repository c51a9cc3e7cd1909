/** `use_vmac_addr`, `use_vmac` on an address's line, `vmac_prefix`, `vmac_addr_prefix`: macvlans, their names and what stands on them, as with Keepalived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until } from '../until.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');

const instance = (name: string, id: number, words: string, addresses: string, excluded = '', on = 'eth0') => `
vrrp_instance ${name} {
  interface ${on}
  version 3
  virtual_router_id ${id}
  advert_int 0.1
  garp_master_delay 0
  garp_master_repeat 1
  ${words}
  virtual_ipaddress {
    ${addresses}
  }
  virtual_ipaddress_excluded {
    ${excluded}
  }
}`;

const everything =
  instance(
    'all',
    51,
    'use_vmac\nuse_vmac_addr',
    '10.42.0.240/24\n10.42.0.241/24 dev eth0\n10.43.0.240/24 dev eth1\n10.43.0.241/24 dev eth1',
    'fd42::240/64\nfd43::240/64 dev eth1',
  ) +
  instance('six', 57, 'use_vmac', 'fe80::5:1/64') +
  instance('others', 52, 'use_vmac_addr', '10.42.0.242/24\n10.43.0.242/24 dev eth1', 'fd42::242/64') +
  instance('one', 53, '', '10.42.0.243/24\n10.43.0.243/24 dev eth1 use_vmac\n10.43.0.244/24 dev eth1') +
  instance(
    'named',
    54,
    'use_vmac vrrp1.51 02:00:5e:00:00:01\nuse_vmac_addr',
    '10.42.0.245/24\n10.43.0.245/24 dev eth1',
  ) +
  instance('family', 55, 'use_vmac', '10.42.0.246/24', 'fd42::246/64') +
  // Two with one VRID: the second name is another.
  instance('near', 56, 'use_vmac', '10.42.0.247/24') +
  instance('far', 56, 'use_vmac', '10.43.0.247/24', '', 'eth1');

const four = instance('four', 51, 'use_vmac', '10.42.0.240/24');
const six = instance('six', 51, 'use_vmac', 'fe80::5:1/64');

const prefixes = `global_defs {
  vmac_prefix vip
  vmac_addr_prefix addr
}${instance('all', 51, 'use_vmac\nuse_vmac_addr', '10.42.0.240/24\n10.43.0.240/24 dev eth1')}`;

async function onHost(
  kind: Kind,
  text: string,
  play: (host: TestHost, daemon: Program) => Promise<void>,
): Promise<void> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    host.run('ip link add eth1 type veth peer name far1');
    host.run('ip addr add 10.43.0.73/24 dev eth1');
    for (const name of ['eth1', 'far1']) host.run(`ip link set ${name} up`);
    // Both need a link-local address of the interface below.
    await until(() => /fe80/.test(host.run('ip -6 addr show dev eth1')), 10_000, "eth1's own address");
    host.write('/run/vrrp.conf', text);
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    for (const [, name] of text.matchAll(/vrrp_instance (\w+)/g))
      await daemon.printed(new RegExp(`\\(${name}\\) Entering MASTER STATE`));
    await play(host, daemon);
    assert.equal(await stop(daemon), 0);
    assert.equal(host.run('ip link show type macvlan'), '', 'nothing is left behind');
  } finally {
    await lab.close();
  }
}

interface Shown {
  readonly ifname: string;
  readonly link?: string;
  readonly address: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

/** Interfaces with what they stand above, their hardware addresses, and the addresses that are not their own. */
function shown(host: TestHost): readonly string[] {
  const links = JSON.parse(host.run('ip -j addr show')) as readonly Shown[];
  return links
    .filter(({ ifname }) => ifname !== 'lo' && ifname !== 'far1')
    .map(({ ifname, link, address, addr_info }) => {
      const virtual = addr_info.filter(({ local }) => /\.24\d$|::24\d$|^fe80::5:1$/.test(local));
      const onMacvlan = link === 'eth0' || link === 'eth1';
      const linkLocal = onMacvlan && addr_info.some(({ local }) => /^fe80/.test(local) && local !== 'fe80::5:1');
      const texts = virtual.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort();
      return `${ifname}${onMacvlan && ifname !== 'eth1' ? ` over ${link} ${address}` : ''} ${texts.join(' ')}${linkLocal ? ' and its own' : ''}`;
    })
    .sort();
}

for (const [name, text] of Object.entries({
  everything,
  prefixes,
  'both families': four + six,
  'IPv6 first': six + four,
}))
  test(`the same macvlans with the same addresses as Keepalived: ${name}`, { skip, timeout: 60_000 }, async () => {
    const seen: Partial<Record<Kind, readonly string[]>> = {};
    for (const kind of ['keepalived', 'evergate'] as const)
      await onHost(kind, text, async (host) => {
        seen[kind] = shown(host);
      });
    assert.deepEqual(seen.evergate, seen.keepalived);
  });

test(
  'an address on a macvlan of its own is announced with the virtual hardware address',
  { skip, timeout: 60_000 },
  () =>
    onHost('evergate', prefixes, async (host) => {
      // eth1's other end hears what leaves by the macvlan above eth1.
      const dump = host.start(['tcpdump', '-i', 'far1', '-lenn', 'arp']);
      await dump.printed(/listening on/);
      host.run('ip addr del 10.43.0.240/24 dev addr.51');
      await dump.printed(/00:00:5e:00:01:33 > ff:ff:ff:ff:ff:ff.*who-has 10\.43\.0\.240/);
      dump.signal('SIGTERM');
      await dump.ended;
    }),
);

test('a reload moves an address to the macvlan of another name', { skip, timeout: 60_000 }, () =>
  onHost('evergate', prefixes, async (host, daemon) => {
    host.write('/run/vrrp.conf', prefixes.replace('vmac_addr_prefix addr', 'vmac_addr_prefix next'));
    daemon.signalFirst('SIGHUP');
    const moved = [
      'eth0 ',
      'eth1 ',
      'next.51 over eth1 00:00:5e:00:01:33 10.43.0.240/24',
      'vip.51 over eth0 00:00:5e:00:01:33 10.42.0.240/24',
    ];
    await until(() => shown(host).join() === moved.join(), 10_000, 'the other macvlan');
    assert.doesNotMatch(daemon.output, /FAULT|cannot/);
    assert.equal(daemon.output.match(/Entering/g)?.length, 2);
  }),
);

test('macvlans that somebody removes are made again, with their addresses', { skip, timeout: 60_000 }, () =>
  onHost('evergate', prefixes, async (host, daemon) => {
    const before = shown(host);
    for (const name of ['addr.51', 'vip.51']) {
      host.run(`ip link del ${name}`);
      await until(() => shown(host).join() === before.join(), 10_000, name);
    }
    assert.equal(daemon.output.match(/Entering/g)?.length, 2);
  }),
);
