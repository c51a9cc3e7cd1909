/**
 * Every word of Keepalived's manual and parsers up to 2.4.1 that has to do with VRRP, BFD, tracking or the whole daemon is known here, in its
 * block: it works, is refused by name, or changes nothing and says so. None is an unknown word.
 * Who follows a later version adds its words here first.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockName, blockNames, findKeyword, keywordsOf } from '../src/config/keepalived/keywords.ts';
import { parseKeepalived } from '../src/config/keepalived/parse.ts';
import { buildVrrpPlan } from '../src/plan/build-vrrp.ts';

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

const tracked = 'track_interface track_script track_file track_process track_bfd';
const notified = `notify_master notify_backup notify_fault notify_stop notify_deleted notify notify_priority_changes
  smtp_alert`;

/** Those of keepalived.conf(5), and those that only the parsers know: old spellings mostly. */
const manual: Readonly<Record<BlockName, readonly string[]>> = {
  'top level':
    words(`net_namespace net_namespace_ipvs namespace_with_ipsets instance use_pid_dir linkbeat_use_polling child_wait_time
    global_defs linkbeat_interfaces track_group static_ipaddress static_routes static_rules track_file vrrp_track_file vrrp_track_process
    bfd_instance vrrp_script vrrp_sync_group garp_group vrrp_instance interface_up_down_delays virtual_server_group virtual_server SSL`),
  global_defs:
    words(`tmp_config_directory config_save_dir process_names process_name vrrp_process_name checker_process_name
    lvs_process_name bfd_process_name use_symlink_paths set_supplementary_groups startup_script startup_script_timeout shutdown_script
    shutdown_script_timeout notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert
    smtp_alert_vrrp smtp_alert_checker checker_log_all_failures no_email_faults router_id vrrp_mcast_group4 vrrp_mcast_group6
    default_interface lvs_sync_daemon lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop vrrp_garp_master_repeat
    vrrp_garp_master_delay vrrp_garp_lower_prio_repeat vrrp_garp_lower_prio_delay vrrp_garp_master_refresh
    vrrp_garp_master_refresh_repeat vrrp_garp_interval vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if vrrp_vmac_garp_intvl
    vrrp_down_timer_adverts vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_version v3_checksum_as_v2 nftables
    nftables_priority nftables_counters nftables_ifindex nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark vrrp_iptables
    vrrp_ipsets disable_local_igmp vrrp_check_unicast_src vrrp_skip_check_adv_addr vrrp_strict vrrp_notify_priority_changes
    max_auto_priority min_auto_priority_delay vrrp_priority checker_priority bfd_priority vrrp_no_swap checker_no_swap bfd_no_swap
    vrrp_cpu_affinity checker_cpu_affinity bfd_cpu_affinity vrrp_rt_priority checker_rt_priority bfd_rt_priority vrrp_rlimit_rttime
    checker_rlimit_rttime bfd_rlimit_rttime vrrp_rlimit_rtime checker_rlimit_rtime bfd_rlimit_rtime snmp_socket enable_snmp_vrrp
    enable_snmp_keepalived enable_snmp_checker enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_traps
    snmp_vs_stats_update_interval snmp_rs_stats_update_interval enable_dbus dbus_service_name dbus_no_interface_name script_user
    enable_script_security notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script lvs_notify_fifo
    lvs_notify_fifo_script fifo_write_vrrp_states_on_reload dynamic_interfaces vrrp_netlink_cmd_rcv_bufs
    vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs
    lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs
    process_monitor_rcv_bufs_force vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier rs_init_notifies no_checker_emails umask
    vrrp_startup_delay vrrp_delay_after_boot log_unknown_vrids vmac_prefix vmac_addr_prefix random_seed reload_check_config
    include_check reload_time_file reload_repeat reload_file data_use_instance state_file_location stats_file_location
    json_file_location json_version iproute_usr_dir iproute_etc_dir`),
  vrrp_instance:
    words(`state interface vrf use_vmac use_vmac_addr vmac_xmit_base use_ipvlan native_ipv6 dont_track_primary ${tracked}
    mcast_src_ip unicast_src_ip mcast_dst_ip track_src_ip version check_unicast_src unicast_peer unicast_fault_no_peer unicast_ttl
    old_unicast_checksum v3_checksum_as_v2 garp_master_delay garp_master_repeat garp_lower_prio_delay garp_lower_prio_repeat
    garp_master_refresh garp_master_refresh_repeat garp_extra_if vmac_garp_intvl down_timer_adverts timer_expired_backup
    thread_timer_expired lower_prio_no_advert higher_prio_send_advert owner_ignore_adverts virtual_router_id priority advert_int
    authentication auth_hmac virtual_ipaddress virtual_ipaddress_excluded no_virtual_ipaddress promote_secondaries virtual_routes
    virtual_rules accept no_accept nopreempt preempt preempt_delay skip_check_adv_addr strict_mode debug ${notified}
    notify_master_rx_lower_pri kernel_rx_buf_size linkbeat_use_polling lvs_sync_daemon_interface`),
  authentication: words('auth_type auth_pass'),
  vrrp_script: words('script interval timeout weight rise fall user init_fail'),
  vrrp_sync_group: words(`group ${tracked} ${notified} global_tracking sync_group_tracking_weight`),
  track_file: words('file weight init_file'),
  vrrp_track_process: words(
    `process param_match weight quorum quorum_max fork_delay terminate_delay delay full_command`,
  ),
  bfd_instance:
    words(`neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops multihop weight
    vrrp checker`),
  track_group: words('group'),
  garp_group: words('garp_interval gna_interval interface interfaces'),
};

for (const block of blockNames)
  test(`${block}: every word of the manual is known`, () => {
    assert.deepEqual(
      manual[block].filter((word) => findKeyword(block, word) === undefined),
      [],
    );
    const more = keywordsOf(block).filter(({ word, since }) => since !== 'Evergate' && !manual[block].includes(word));
    assert.deepEqual(
      more.map(({ word }) => word),
      block === 'top level' ? ['real_server'] : [],
      'in the table and not in this list',
    );
  });

/** What is said of a line inside of `block { … }`, beside a router that has everything. */
function said(block: string, line: string): readonly string[] {
  const isStatic = block.startsWith('static_');
  const list = `${block} {\n${line}\n}`;
  const text = `vrrp_script S {\nscript /bin/true\n}
track_file F {\nfile /run/f\n}
vrrp_track_process P {\nprocess haproxy\n}
bfd_instance B {\nneighbor_ip 10.0.0.9\n}
track_group G {\ngroup {\nVI\n}\n}
${isStatic ? list : ''}
vrrp_instance VI {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.1/24\n}
${isStatic ? '' : list}\n}`;
  const environment = { configId: 'lb', readFiles: () => [] };
  const parsed = parseKeepalived([{ path: 'k.conf', text }], environment);
  const built = buildVrrpPlan(parsed.config, { hostname: 'lb', userExists: () => true });
  const at = text.split('\n').indexOf(line) + 1;
  return [...parsed.diagnostics, ...built.diagnostics]
    .filter(({ place, code }) => place.line === at && code !== 'risky' && code !== 'removed-word')
    .map(({ code, message }) => `${code}: ${message}`);
}

/** `~` stands for a blank. */
const addressWords =
  words(`brd~10.0.5.255 broadcast~10.0.5.255 brd~+ brd~- dev~eth1 scope~link scope~site scope~host scope~nowhere
  scope~global label~eth0:1 home -nodad mngtmpaddr noprefixroute autojoin preferred_lft~5 preferred_lft~forever`);
const routeWords =
  words(`src~10.0.0.1 via~10.0.0.3 via~inet~10.0.0.3 gw~10.0.0.3 tos~4 dsfield~4 table~5 protocol~12 scope~link metric~5
  priority~5 preference~5 dev~eth1 oif~eth1 onlink mtu~1000 mtu~lock~1000 hoplimit~100 advmss~101 advmss~lock~101 rtt~102 rtt~lock~102ms
  rttvar~103 reordering~104 window~105 cwnd~106 ssthresh~lock~107 realms~3/4 rto_min~108 initcwnd~109 initrwnd~110 features~ecn quickack~1
  congctl~reno congctl~lock~reno fastopen_no_cookie~1 ttl-propagate~enabled no_track append add prepend inet
  nexthop~via~10.0.0.3~dev~eth1~onlink~weight~2~nexthop~via~10.0.0.4`);
const ruleWords =
  words(`from~10.2.0.0/16 to~10.3.0.0/16 table~5 lookup~5 iif~eth0 dev~eth0 oif~eth1 tos~22 dsfield~22 fwmark~24/12
  preference~40 priority~40 order~40 realms~30/20 goto~40 uidrange~10000-19999 l3mdev protocol~12 ip_proto~17 ipproto~17 sport~10-20
  dport~20-30 suppress_prefixlength~4 suppress_prefixlen~4 suppress_ifgroup~3 tun_id~7 tunnel-id~7 not blackhole prohibit unreachable nop
  no_track inet`);
const spaced = (word: string) => word.replaceAll('~', ' ');
const actions = /^(table|lookup|goto|l3mdev|blackhole|prohibit|unreachable|nop)/;

test('every word of the lines of addresses, routes and rules is taken', () => {
  const lines: [string, string][] = [
    ...['virtual_ipaddress', 'virtual_ipaddress_excluded'].flatMap((block) =>
      [...addressWords, 'use_vmac', 'no_track'].map((word): [string, string] => [block, word]),
    ),
    ...[...addressWords, 'track_group~G', 'no_track'].map((word): [string, string] => ['static_ipaddress', word]),
  ].map(([block, word]) => [block, `10.0.5.1/24 ${spaced(word)}`]);
  lines.push(
    ...['virtual_routes', 'static_routes'].flatMap((block) =>
      routeWords.map((word): [string, string] => [block, `10.9.0.0/16 ${spaced(word)}`]),
    ),
    ...words('unicast local broadcast multicast throw unreachable prohibit blackhole anycast').map(
      (type): [string, string] => ['virtual_routes', `${type} 10.9.0.0/16 dev eth0`],
    ),
    ['virtual_ipaddress', '10.0.5.1 peer 10.0.5.9'],
    ['static_ipaddress', '10.0.5.1 peer 10.0.5.9'],
    ['virtual_routes', '2001:db8::/48 from 2001:db8:1::/48 pref high expires 9 dev eth0'],
    ['virtual_routes', 'inet6 default dev eth0'],
    ['virtual_routes', 'to 10.9.0.0/16 via 10.0.0.3 or 10.0.0.4 dev eth0'],
    ['static_routes', '10.9.0.0/16 dev eth0 track_group G'],
    ...['virtual_rules', 'static_rules'].flatMap((block) =>
      ruleWords.map((word): [string, string] => [
        block,
        `${spaced(word)}${actions.test(word) ? '' : ' table 7'}${/^(preference|priority|order)/.test(word) ? '' : ' preference 9'}`,
      ]),
    ),
    ['static_rules', 'iif eth0 table 7 preference 9 track_group G'],
    ['unicast_peer', '10.0.0.2 min_ttl 254 max_ttl 255'],
    ...['track_script S', 'track_process P', 'track_bfd B', 'track_interface eth1'].flatMap((track) =>
      ['', ' weight 5', ' weight -5 reverse', ' weight 5 noreverse', ' weight 0 reverse', ' reverse'].map(
        (options): [string, string] => [track.split(' ')[0]!, `${track.split(' ')[1]}${options}`],
      ),
    ),
    ['track_file', 'F weight 254 reverse'],
  );
  assert.deepEqual(
    lines
      .filter(([block, line]) => said(block, line).length > 0)
      .map(([block, line]) => [block, line, ...said(block, line)]),
    [],
  );
});

test('what is refused inside of a route is refused by name', () => {
  for (const word of ['encap ip id 5 dst 10.0.0.3', 'as to 5', 'vrf blue'])
    assert.match(
      said('virtual_routes', `10.9.0.0/16 dev eth0 ${word}`)[0] ?? '',
      new RegExp(`^unsupported-word: '${word.split(' ')[0]}'`),
    );
});
