/** What SIGUSR1, SIGUSR2 and SIGJSON write, line by line beside Keepalived 2.2.7's files from the same configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 20_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');

/** `well` counts once it has run once, `bad` never: their results don't depend on when the dump is asked for. */
const configuration = `static_ipaddress {
  10.9.0.1/24 dev eth0
}
static_routes {
  192.0.2.0/24 via 10.42.0.1 dev eth0
}
static_rules {
  from 10.9.0.0/24 table 77 priority 99
}
vrrp_script well {
  script "/usr/bin/true x"
  interval 2
  timeout 3
  weight 2
  user root
}
vrrp_script bad {
  script "/usr/bin/false"
  interval 1
  timeout 1
  weight -5 reverse
  user nobody
}
vrrp_track_file number {
  file "/run/number"
  weight 2
  init_file 3 overwrite
}
vrrp_track_process some {
  process "no-such-process"
  weight 5
  delay 1
}
vrrp_track_process many {
  process "/no/such/process" 600
  param_match initial
  full_command
  quorum 2
  quorum_max 4
  fork_delay 1.5
  terminate_delay 2.5
}
bfd_instance session {
  neighbor_ip 10.42.0.38
  source_ip 10.42.0.73
  weight 6
}
vrrp_sync_group both {
  group {
    one
    two
  }
  track_script {
    well weight 0
  }
  track_file {
    number weight 1
  }
  notify "/usr/bin/true group" root
  notify_master "/usr/bin/true gm" root
  sync_group_tracking_weight
}
vrrp_instance one {
  interface eth0
  virtual_router_id 51
  priority 101
  advert_int 1
  nopreempt
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    10.42.0.240/24 label eth0:v
    10.42.0.241/24 brd 10.42.0.255 scope link
    10.42.0.242/32 peer 10.42.0.9
  }
  virtual_ipaddress_excluded {
    10.42.0.250
    fd42::250/64
  }
  virtual_routes {
    192.168.1.0/24 table 77 dev eth0 scope link src 10.42.0.73 metric 100 mtu 1400 initcwnd 10 tos 4
    default via 10.42.0.1 dev eth0 table 78 metric 5
    unreachable 192.168.3.0/24 table 5
    192.168.4.0/24 mtu lock 1300 via 10.42.0.1 dev eth0 advmss 1000
    192.168.5.0/24 nexthop via 10.42.0.1 dev eth0 weight 2 nexthop via 10.42.0.2 dev eth0 weight 1
    192.168.6.1 dev eth0
    append 192.168.7.0/24 dev eth0 via 10.42.0.3 no_track
  }
  virtual_rules {
    iif eth0 fwmark 7/0xff table 5 priority 10
    to 10.1.0.0/16 from 10.0.0.0/8 tos 16 lookup main priority 11
    not from 10.3.0.0/16 oif eth0 prohibit priority 12
    from 10.4.0.0/16 table 8 priority 13 no_track
    from 10.5.0.0/16 goto 20 priority 14 uidrange 0-100 ipproto tcp dport 80-90
    from 10.9.9.9 table 3 priority 15 suppress_prefixlength 3
  }
  track_interface {
    lo weight -3 reverse
  }
  track_script {
    bad weight -7
  }
  track_process {
    some
    many weight 3
  }
  track_bfd {
    session weight -2
  }
  notify "/usr/bin/true any" root
  notify_master "/usr/bin/true m" root
  notify_backup "/usr/bin/true b" nobody
  notify_fault "/usr/bin/true f" root
  notify_stop "/usr/bin/true s" root
  notify_deleted "/usr/bin/true d" root
  notify_master_rx_lower_pri "/usr/bin/true rx" root
}
vrrp_instance two {
  interface eth0
  virtual_router_id 52
  advert_int 0.3
  version 3
  unicast_src_ip 10.42.0.73
  unicast_peer {
    10.42.0.38
    10.42.0.39 min_ttl 10 max_ttl 20
  }
  virtual_ipaddress {
    10.42.0.243/24
  }
  preempt_delay 4
}
vrrp_instance six {
  interface eth0
  virtual_router_id 53
  version 3
  native_ipv6
  dont_track_primary
  skip_check_adv_addr
  virtual_ipaddress {
    fe80::42
    fd42::43/64
  }
}
vrrp_instance mac {
  interface eth0
  virtual_router_id 54
  use_vmac
  virtual_ipaddress {
    10.42.0.244
  }
}
vrrp_instance standby {
  interface eth0
  virtual_router_id 55
  version 3
  virtual_ipaddress {
    10.42.0.245
  }
}
`;

const other = `vrrp_instance other {
  interface eth0
  virtual_router_id 55
  version 3
  priority 200
  virtual_ipaddress {
    10.42.0.245
  }
}
`;

interface Dumps {
  readonly data: string;
  readonly stats: string;
  readonly json: readonly { readonly data: Readonly<Record<string, unknown>> }[];
}

async function ask(host: TestHost, kind: Kind, signal: number, file: string, whole: RegExp): Promise<string> {
  const process = host.run(`pgrep -o -x ${kind === 'evergate' ? 'evergate-vrrp' : 'keepalived'}`).trim();
  host.run(`kill -${signal} ${process}`);
  await until(() => whole.test(read(host, file)), file);
  return read(host, file);
}

async function dumps(kind: Kind): Promise<Dumps> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    const second = await lab.host(['10.42.0.200/24']);
    second.write('/run/vrrp.conf', other);
    const active = startDaemon('keepalived', second, '/run/vrrp.conf');
    await active.printed(/Entering MASTER STATE/);
    host.write('/run/vrrp.conf', configuration);
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    for (const address of ['10.42.0.240', '10.42.0.243', 'fd42::43', '10.42.0.244'])
      await until(() => host.holds(address), address);
    const data = await ask(host, kind, 10, 'keepalived.data', /< Interfaces >[\s\S]* Name = eth0[\s\S]*\n$/);
    const stats = await ask(host, kind, 12, 'keepalived.stats', /Instance: standby[\s\S]*Priority Zero:\n.*\n.*\n/);
    const json = JSON.parse(await ask(host, kind, 36, 'keepalived.json', /\]\s*$/));
    await stop(daemon);
    await stop(active);
    return { data, stats, json };
  } finally {
    await lab.close();
  }
}

function read(host: TestHost, file: string): string {
  return host.run('find /tmp -maxdepth 1').includes(file) ? host.run(`cat /tmp/${file}`) : '';
}

/** Of the data, section by section: what says the same on both sides, by its nature. */
function comparable(data: string): string[] {
  const sections = data
    .split(/^(?=------<)/m)
    .filter((text) => !/< (Global definitions|VRRP Sockpool|Interfaces) >/.test(text));
  return sections
    .join('')
    .replace(/^ {3}(fd_in \d+, fd_out \d+|Password = .*|Reason = .*|Last status = .*)\n/gm, '')
    .replace(/^( {3}(?:Last transition|Read timeout) = ).*$/gm, (line, title: string) =>
      /= (\d+\.\d{6} \(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d\.\d{6} \d{4}\)|DISABLED)$/.test(line)
        ? `${title}a moment`
        : line,
    )
    .replace(/(Multicast address ff02::12), ifindex \d+/, '$1')
    .replace(/(Using src_ip = fe80::).*/, '$1')
    .split('\n');
}

test('the files have the lines that Keepalived writes, in its order', { skip, timeout: 120_000 }, async (t) => {
  const [ours, theirs] = await Promise.all([dumps('evergate'), dumps('keepalived')]);
  await t.test('keepalived.data', () => {
    assert.deepEqual(comparable(ours.data), comparable(theirs.data));
    assert.ok(comparable(theirs.data).length > 250);
    for (const line of [
      /^ {3}Name = eth0/m,
      /Tracking VRRP instances :\n {5}one, weight 0\n {5}two, weight 0\n {5}six, weight 255/,
    ])
      for (const { data } of [ours, theirs]) assert.match(data.replaceAll('\n Name', '\n   Name'), line);
  });
  await t.test('keepalived.stats', () => {
    const shape = (text: string) => text.replace(/\d+$/gm, 'n').split('\n');
    assert.deepEqual(shape(ours.stats), shape(theirs.stats));
  });
  await t.test('keepalived.json', () => {
    const lists = ({ json }: Dumps) =>
      json.map(({ data: { iname, vips, evips, vroutes, vrules, track_script } }) => ({
        iname,
        vips,
        evips,
        vroutes,
        vrules,
        track_script,
      }));
    assert.deepEqual(lists(ours), lists(theirs));
  });
});

/** Words of an instance beside those of global_defs. */
const announcing: readonly (readonly string[])[] = [
  [],
  ['garp_master_delay 3'],
  ['garp_master_delay 0'],
  ['garp_master_repeat 2'],
  ['garp_master_delay 2', 'garp_master_repeat 3'],
  ['garp_lower_prio_delay 9', 'garp_lower_prio_repeat 0'],
  ['garp_master_refresh 7', 'garp_master_refresh_repeat 4'],
  ['lower_prio_no_advert', 'higher_prio_send_advert'],
];

async function announcements(kind: Kind, global: readonly string[]): Promise<string[]> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    const instances = announcing.map(
      (words, index) =>
        `vrrp_instance i${index} {\ninterface eth0\nvirtual_router_id ${index + 1}\n${words.join('\n')}\nvirtual_ipaddress {\n10.42.0.${100 + index}\n}\n}\n`,
    );
    host.write('/run/vrrp.conf', `global_defs {\n${global.join('\n')}\n}\n${instances.join('')}`);
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    await daemon.printed(/Startup complete/);
    const data = await ask(host, kind, 10, 'keepalived.data', /< Interfaces >/);
    await stop(daemon);
    const [, topology = ''] = data.split('< VRRP Topology >');
    return topology.match(/^.*(VRRP Instance|Gratuitous|Send advert).*$/gm) ?? [];
  } finally {
    await lab.close();
  }
}

for (const global of [
  [],
  ['vrrp_garp_master_delay 8', 'vrrp_garp_master_repeat 9'],
  ['vrrp_garp_lower_prio_delay 7', 'vrrp_garp_lower_prio_repeat 4', 'vrrp_garp_master_refresh 60'],
  ['vrrp_min_garp'],
  ['vrrp_min_garp', 'vrrp_garp_master_repeat 3', 'vrrp_lower_prio_no_advert'],
  ['vrrp_strict', 'vrrp_garp_lower_prio_repeat 3'],
])
  test(`defaults of the garp words: ${global.join(', ') || 'nothing global'}`, { skip, timeout: 60_000 }, async () => {
    const [ours, theirs] = await Promise.all([announcements('evergate', global), announcements('keepalived', global)]);
    assert.equal(theirs.length, 9 * announcing.length);
    assert.deepEqual(ours, theirs);
  });
