/** Words of vrrp_instance and its authentication block. */

import type { Keyword } from './keywords.ts';
import { boolean, choice, command, integer, list, nearest, none, refused, row, seconds, text, words } from './row.ts';
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
    'the addresses that move, advertised',
  ),
  row('virtual_ipaddress_excluded', list('ADDRESS[/PREFIX] …'), '', 'addresses that move but are not advertised'),
  row('virtual_routes', list('ROUTE'), '', 'routes that move, in the words of ip-route(8)'),
  row('virtual_rules', list('RULE'), '', 'policy rules that move, in the words of ip-rule(8)'),
  row('no_virtual_ipaddress', none, 'off', 'having no address is meant', '2.3.0'),
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
  row(
    'old_unicast_checksum',
    { kind: 'choice', values: ['never'], optional: true },
    'found out',
    'checksum of versions up to 1.3.6; never: do not look for it',
  ),
  row(
    'v3_checksum_as_v2',
    boolean,
    'v3_checksum_as_v2 of global_defs',
    'IPv4 checksum without the pseudo-header (RFC 9568)',
    '2.3.0',
  ),
  row(
    'down_timer_adverts',
    integer(1, 100),
    'vrrp_down_timer_adverts, or 3',
    'advertisements missed until the MASTER is down',
  ),
  row(
    'timer_expired_backup',
    { kind: 'integer', min: 1, max: 254, optional: true },
    'off',
    'a MASTER whose timer came so late that a router of this priority (254) would have taken over assumes that it did',
    '2.3.0',
  ),
  row(
    'authentication',
    { kind: 'block', block: 'authentication', name: 'none' },
    '',
    'password in advertisements; version 2 only',
  ),
  row('accept', none, 'on, but with strict mode off', 'answer on the addresses although not their owner'),
  row('no_accept', none, 'off', 'drop what is sent to the addresses'),
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
    'garp_master_delay',
    integer(0, 4294),
    'vrrp_garp_master_delay, or 5',
    'seconds until the second set of gratuitous ARPs; 0: none',
  ),
  row('garp_master_repeat', nearest(1, 4_294_967_295), 'vrrp_garp_master_repeat, or 5', 'gratuitous ARPs in a set'),
  row(
    'garp_lower_prio_delay',
    integer(0, 4294),
    'garp_master_delay',
    'seconds until the second set after a lower priority was heard',
  ),
  row(
    'garp_lower_prio_repeat',
    integer(0, 4_294_967_295),
    'garp_master_repeat',
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
    'refresh on other interfaces that hold addresses',
  ),
  row('use_vmac', words('[INTERFACE] [MAC]', 0, 2), 'off', 'a macvlan with the virtual MAC address'),
  row('use_vmac_addr', none, 'off', 'a macvlan for each other interface that holds addresses'),
  row('vmac_xmit_base', none, 'off', 'advertisements from the base interface'),
  row('use_ipvlan', words('[INTERFACE] [ADDRESS] [bridge|private|vepa]', 0, 3), 'off', 'an ipvlan to send from'),
  row('vrf', text('INTERFACE'), '', 'the VRF, with unicast and no interface'),
  row('debug', integer(0, 4), '0', "Keepalived's level of detail in logs"),
  row('kernel_rx_buf_size', integer(0, 2_147_483_647), "the system's", 'bytes of the receiving socket'),
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
      'no BFD sessions (RFC 5880, UDP port 3784) with the router that is followed; without it a lost host is noticed in about 75 ms where the other end answers',
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
