/** Words of vrrp_instance and its authentication block. */

import type { Keyword } from './keywords.ts';
import {
  alias,
  boolean,
  choice,
  command,
  integer,
  list,
  nearest,
  noEffect,
  none,
  refused,
  row,
  seconds,
  text,
  words,
} from './row.ts';
import { notifyKeywords, trackKeywords } from './table-tracking.ts';

const sourceAddress = row(
  'mcast_src_ip',
  text('ADDRESS'),
  "the interface's primary address",
  'source address of advertisements',
);
const unicastSource = row(
  'unicast_src_ip',
  text('ADDRESS'),
  "the interface's primary address",
  'source address of advertisements; a word of unicast',
);

const lateTimer: Keyword = {
  ...noEffect(
    'timer_expired_backup',
    'a MASTER whose timer came so late that a router of this priority (254) would have taken over assumes that it did',
    'always so: a router that wakes up late assumes that it was replaced',
    { kind: 'integer', min: 1, max: 254, optional: true },
  ),
  since: '2.2.8',
};

export const instanceKeywords: readonly Keyword[] = [
  row('interface', text('INTERFACE'), '', 'where advertisements go and addresses stand; may be left out with unicast'),
  row(
    'state',
    text('MASTER|BACKUP'),
    'BACKUP',
    'where it starts; anything but 255 waits for the down timer all the same',
  ),
  row('virtual_router_id', integer(1, 255), '', 'VRID; required'),
  row('priority', integer(1, 255), '100; 255 with state MASTER', 'the highest wins; 255 is the owner of the address'),
  row(
    'advert_int',
    seconds(0.01, 255),
    '1',
    'between two advertisements; version 2: whole seconds, version 3: up to 40.95',
  ),
  row('version', integer(2, 3), 'vrrp_version; 3 for IPv6', 'of VRRP'),
  row('native_ipv6', none, 'off', 'IPv6 although no address says so'),
  row('nopreempt', none, 'off', 'a higher priority does not take over from a working lower one'),
  row('preempt', none, 'on', 'the opposite of nopreempt'),
  row('preempt_delay', seconds(0, 1000), '0', 'wait before taking over from a lower priority'),
  row(
    'virtual_ipaddress',
    list('ADDRESS[/PREFIX] [brd ADDRESS] [dev INTERFACE] [scope SCOPE] [label LABEL] …'),
    '',
    'the addresses that move, advertised; FAULT while a dev is down, unless the line says no_track',
  ),
  row(
    'virtual_ipaddress_excluded',
    list('ADDRESS[/PREFIX] …'),
    '',
    'addresses that move but are not advertised; dev as there',
  ),
  row('virtual_routes', list('ROUTE'), '', 'routes that move, in the words of ip-route(8); dev as there'),
  row('virtual_rules', list('RULE'), '', 'policy rules that move, in the words of ip-rule(8); iif as dev there'),
  row('no_virtual_ipaddress', none, 'off', 'having no address is meant', '2.2.8'),
  row('promote_secondaries', none, 'off', 'set promote_secondaries on the interface'),
  row('dont_track_primary', none, 'off', "the interface's own state does not count"),
  sourceAddress,
  unicastSource,
  row('track_src_ip', none, 'off', 'FAULT while the source address is not there'),
  row('mcast_dst_ip', text('ADDRESS'), 'vrrp_mcast_group4, vrrp_mcast_group6', 'multicast group of advertisements'),
  row('unicast_peer', list('ADDRESS [min_ttl 0..255] [max_ttl 0..255]'), '', 'send to these instead of multicast'),
  row('unicast_ttl', integer(0, 255), '255', 'TTL of unicast advertisements'),
  row('unicast_fault_no_peer', none, 'off', 'FAULT when unicast_peer is empty, instead of multicast'),
  row('check_unicast_src', boolean, 'vrrp_check_unicast_src', 'the sender must be one of the peers'),
  refused(
    'old_unicast_checksum',
    'checksum of Keepalived up to 1.3.6',
    'update the other end: Keepalived from 1.3.7 sums as the RFC says',
    { kind: 'choice', values: ['never'], optional: true },
  ),
  row(
    'v3_checksum_as_v2',
    boolean,
    'v3_checksum_as_v2 of global_defs',
    'IPv4 checksum without the pseudo-header (RFC 9568)',
    '2.2.8',
  ),
  row(
    'down_timer_adverts',
    integer(1, 100),
    'vrrp_down_timer_adverts, or 3',
    'advertisements missed until the MASTER is down',
  ),
  lateTimer,
  alias('thread_timer_expired', lateTimer),
  row(
    'authentication',
    { kind: 'block', block: 'authentication', name: 'none' },
    '',
    'password in advertisements; version 2 only',
  ),
  row('accept', none, 'on, but with strict mode off', 'answer on the addresses although not their owner'),
  row(
    'no_accept',
    none,
    'off, but with strict mode on',
    'drop what is sent to the addresses, with nftables; the owner (priority 255) answers all the same',
  ),
  row(
    'skip_check_adv_addr',
    boolean,
    'vrrp_skip_check_adv_addr',
    "don't compare the addresses in advertisements again",
  ),
  row('strict_mode', boolean, 'vrrp_strict', 'hold to the RFC'),
  row('lower_prio_no_advert', boolean, 'vrrp_lower_prio_no_advert', 'no advertisement in answer to a lower priority'),
  row(
    'higher_prio_send_advert',
    boolean,
    'vrrp_higher_prio_send_advert',
    'a last advertisement before giving way to a higher priority',
  ),
  row(
    'owner_ignore_adverts',
    boolean,
    'off, but with strict mode on',
    'with priority 255: while it is MASTER, discard whatever others advertise, as RFC 9568 has it; two such routers never notice each other',
    '2.3.3',
  ),
  row(
    'garp_master_delay',
    integer(0, 4294),
    'vrrp_garp_master_delay, or 5',
    'seconds until the second set of gratuitous ARPs; 0: none',
  ),
  row('garp_master_repeat', nearest(1, 4_294_967_295), 'vrrp_garp_master_repeat, or 5', 'gratuitous ARPs in a set'),
  row(
    'garp_lower_prio_delay',
    integer(0, 4294),
    'vrrp_garp_lower_prio_delay, or vrrp_garp_master_delay, or 5',
    'seconds until the second set after a lower priority was heard',
  ),
  row(
    'garp_lower_prio_repeat',
    integer(0, 4_294_967_295),
    'vrrp_garp_lower_prio_repeat, or vrrp_garp_master_repeat, or 5',
    'gratuitous ARPs after a lower priority was heard',
  ),
  row(
    'garp_master_refresh',
    integer(0, 4_294_967_295),
    'vrrp_garp_master_refresh, or 0',
    'seconds between refreshing sets; 0: none',
  ),
  row(
    'garp_master_refresh_repeat',
    nearest(1, 4_294_967_295),
    'vrrp_garp_master_refresh_repeat, or 1',
    'gratuitous ARPs in a refreshing set',
  ),
  row(
    'garp_extra_if',
    words('[all] SECONDS', 1, 2),
    'vrrp_garp_extra_if',
    'announce addresses on other interfaces this often: on those with a virtual MAC address, or on all; 0: never',
  ),
  row(
    'use_vmac',
    words('[[name] INTERFACE] [MAC] [netlink_notify_msg] [group GROUP]', 0, 6),
    'off',
    'a macvlan with the virtual MAC address, in the interface group of the interface below or in GROUP; name, netlink_notify_msg and group: Keepalived 2.3.0',
  ),
  row(
    'use_vmac_addr',
    none,
    'off',
    'a macvlan with the virtual MAC address for each other interface that holds addresses, and for those of the other family; or for one address: use_vmac on its line',
  ),
  row('vmac_xmit_base', none, 'off', 'advertisements from the base interface'),
  refused(
    'use_ipvlan',
    'an ipvlan to send from',
    'use use_vmac, or no virtual interface at all: ipvlans are not tried here yet, for want of a kernel with CONFIG_IPVLAN',
    words('[[name] INTERFACE] [ADDRESS] [bridge|private|vepa] [group GROUP]', 0, 6),
  ),
  refused(
    'vrf',
    'the VRF, with unicast and no interface',
    'name the interface that is in the VRF with interface: VRFs are not tried here yet, for want of a kernel with CONFIG_NET_VRF',
    text('INTERFACE'),
  ),
  noEffect(
    'debug',
    "Keepalived's level of detail in logs",
    'the option -D (--log-detail) tells everything',
    integer(0, 4),
  ),
  row(
    'kernel_rx_buf_size',
    integer(0, 2_147_483_647),
    '1048576',
    'bytes of the receiving socket; of several, the most',
  ),
  ...trackKeywords,
  ...notifyKeywords,
  row(
    'notify_deleted',
    { kind: 'command', optional: true },
    '',
    'run, and say DELETED, when a reload removes the virtual router',
  ),
  row('notify_master_rx_lower_pri', command, '', 'run when a MASTER hears a lower priority'),
  {
    ...row(
      'no_immediate_takeover',
      none,
      'off',
      'wait out the skew time on hearing priority 0, as Keepalived does; without it the take-over is at once',
    ),
    since: 'Evergate',
  },
  {
    ...row(
      'no_address_lease',
      none,
      'off',
      'addresses stay on the interface when the daemon is killed or frozen, as with Keepalived; without it the kernel drops them a second after the others would have taken over',
    ),
    since: 'Evergate',
  },
  {
    ...row(
      'no_peer_bfd',
      none,
      'off',
      'no BFD sessions (RFC 5880, UDP port 3784) with the router that is followed; without it a lost host is noticed in about 100 ms where the other end answers',
    ),
    since: 'Evergate',
  },
  refused(
    'linkbeat_use_polling',
    'poll the media state',
    'remove it: link state comes from the kernel by netlink at once',
    none,
  ),
  refused(
    'lvs_sync_daemon_interface',
    "IPVS' connection synchronisation",
    'remove it: there is no IPVS here',
    words('INTERFACE'),
  ),
  refused('vmac_garp_intvl', 'the old name of garp_extra_if', 'write garp_extra_if'),
  refused(
    'auth_hmac',
    'keyed checksums after advertisements, of Keepalived 2.4',
    'use authentication with version 2, or keep strangers off the segment; with unicast, min_ttl',
  ),
];

export const authenticationKeywords: readonly Keyword[] = [
  row('auth_type', choice('PASS', 'AH'), '', 'PASS: the password in clear; AH: a keyed checksum over the packet'),
  row('auth_pass', text('PASSWORD'), '', 'the first 8 characters count'),
];
