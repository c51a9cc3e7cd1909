/** `-t` beside Keepalived 2.2.7's: a file that it finds fault with never passes here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configTestStatus, loadVrrpPlan } from '../../src/commands/vrrp-configuration.ts';
import { needs } from '../requirements.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');

const instance = (words = '', more = '') =>
  `${more}vrrp_instance A {\n interface v0\n virtual_router_id 51\n ${words}\n virtual_ipaddress {\n 10.9.9.9/32\n }\n}\n`;
const script = (words: string) =>
  instance('track_script {\n s\n }', `vrrp_script s {\n script /bin/true\n ${words}\n}\n`);
const file = (inFile: string, onLine: string) =>
  instance(`track_file {\n f ${onLine}\n }`, `track_file f {\n file /etc/hostname\n ${inFile}\n}\n`);
const global = (words: string) => instance('', `global_defs {\n ${words}\n}\n`);
const inBlock = (name: string, line: string) => instance(`${name} {\n ${line}\n }`);
const group = (words: string) => `${instance()}vrrp_sync_group G {\n ${words}\n}\n`;

const sound = [
  instance(),
  instance('priority 100'),
  instance('authentication {\n }'),
  instance('virtual_routes {\n }'),
  instance('debug 4'),
  file('weight 254', 'weight -254'),
  inBlock('virtual_routes', 'default via fe80::1 dev v0'),
  inBlock('virtual_rules', 'from 10.1.0.0/16 dport 80-80 preference 100 table 7'),
  global('vrrp_mcast_group6 ff02::13'),
];

const faulty = [
  ...[
    'priority 256',
    'priority 0',
    'priority abc',
    'priority',
    'state FOO',
    'state master',
    'state',
    'virtual_router_id 0',
    'virtual_router_id 256',
    'virtual_router_id a',
    'advert_int 0',
    'advert_int 256',
    'advert_int x',
    'advert_int 0.5',
    'version 4',
    'version x',
    'version 3\n advert_int 41',
    'foobar 1',
    'foobar {\n a\n }',
    'preempt_delay 1001',
    'preempt_delay x',
    'preempt_delay -1',
    'garp_master_delay x',
    'garp_master_delay -1',
    'garp_master_repeat 0',
    'garp_master_repeat x',
    'interface nope0',
    'mcast_src_ip 300.1.1.1',
    'unicast_src_ip x',
    'unicast_peer {\n }',
    'strict_mode foo',
    'lower_prio_no_advert foo',
    'higher_prio_send_advert maybe',
    'smtp_alert foo',
    'skip_check_adv_addr foo',
    'down_timer_adverts 0',
    'down_timer_adverts 101',
    'debug 9',
  ].map((words) => instance(words)),
  ...['interval x', 'interval 0', 'weight 254', 'weight 300', 'rise 0', 'timeout 0'].map((words) => script(words)),
  ...[
    'vrrp_priority 40',
    'vrrp_rt_priority 200',
    'vrrp_version 5',
    'smtp_server',
    'smtp_connect_timeout x',
    'vrrp_mcast_group4 10.0.0.1',
    'vrrp_mcast_group6 fe80::1',
    'vrrp_startup_delay x',
    'dynamic_interfaces foo',
    'vrrp_garp_interval x',
    'script_user nouser',
    'vrrp_higher_prio_send_advert foo',
    'vrrp_down_timer_adverts 200',
  ].map((words) => global(words)),
  ...['weight 255', 'weight -255'].map((words) => file(words, '')),
  ...['weight 255', 'weight x'].map((words) => file('', words)),
  ...['254', '-300'].map((weight) => inBlock('track_interface', `eth1 weight ${weight}`)),
  ...['', 'group {\n }', 'group {\n nope\n }', 'group {\n A\n }'].map((words) => group(words)),
  ...[
    ['authentication', 'auth_type FOO'],
    ['authentication', 'auth_type PASS'],
    ['unicast_peer', '300.1.1.1'],
    ['track_interface', 'nope0'],
    ['track_interface', 'v0 weight 300'],
    ['track_script', 'nope'],
    ['track_file', 'nope'],
    ['track_bfd', 'nope'],
    ['track_process', 'nope'],
    ['virtual_routes', '10.1.0.0/33 dev v0'],
    ['virtual_routes', '10.1.0.0/16 dev v0 frob 3'],
    ['virtual_routes', '10.1.0.0/16 dev nope0'],
    ['virtual_rules', 'from 10.1.0.0/16 dport 80 table 7'],
    ['virtual_routes', '10.1.0.0/16 via fe80::1 dev v0'],
    ['virtual_routes', '2001:db8::/32 via 10.9.9.1 dev v0'],
    ['virtual_routes', 'via 10.9.9.1 2001:db8::/32 dev v0'],
    ['virtual_routes', '10.1.0.0/16 nexthop via 10.9.9.1 dev v0 nexthop via fe80::1 dev v0'],
    ['virtual_rules', 'from 10.1.0.0/16 dport 80 preference 100 table 7'],
    ['virtual_rules', 'from 10.1.0.0/16 sport 80 preference 100 table 7'],
    ['virtual_rules', 'from 10.1.0.0/16 uidrange 3 preference 100 table 7'],
    ['virtual_rules', 'from 10.1.0.0/16 pref x table 7'],
    ['virtual_ipaddress', '10.9.9.300'],
    ['virtual_ipaddress', '10.9.9.3/33'],
    ['virtual_ipaddress', '10.9.9.3 dev nope0'],
    ['virtual_ipaddress', '10.9.9.3 frob'],
    ['virtual_ipaddress', '10.9.9.3 scope frob'],
    ['virtual_ipaddress', 'fe80::3'],
  ].map(([name, line]) => inBlock(name!, line!)),
  `${instance()}${instance()}`,
  instance().slice(0, -2),
  'vrrp_instance A {\n}\n',
  `foo bar\n${instance()}`,
];

/** 0 as Keepalived means it: nothing to complain of. It calls a script's missing `enable_script_security` a complaint as well: 6. */
function theirStatus(namespace: string, file: string): number | null {
  const command = ['netns', 'exec', namespace, 'keepalived', '-t', '-f', file];
  return spawnSync('ip', command, { stdio: 'ignore', timeout: 10_000 }).status;
}

test('sound files pass both, and no faulty one passes either', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-config-test-'));
  const namespace = `egct${process.pid}`;
  const ip = (...words: string[]) => assert.equal(spawnSync('ip', words).status, 0, words.join(' '));
  try {
    ip('netns', 'add', namespace);
    ip('-n', namespace, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'eth1');
    const file = join(folder, 'keepalived.conf');
    const passes = (text: string) => {
      writeFileSync(file, text);
      const ours = configTestStatus(loadVrrpPlan(file, undefined, new Set(['lo', 'v0', 'eth1'])));
      return { ours: ours === 0, theirs: theirStatus(namespace, file) === 0 };
    };
    for (const text of sound) assert.deepEqual(passes(text), { ours: true, theirs: true }, text);
    for (const text of faulty) assert.deepEqual(passes(text), { ours: false, theirs: false }, text);
  } finally {
    spawnSync('ip', ['netns', 'del', namespace]);
    rmSync(folder, { recursive: true });
  }
});
