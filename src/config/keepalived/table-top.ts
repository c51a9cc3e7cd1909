/** Words at the top level, and of the small blocks track_group and garp_group. */

import type { Keyword } from './keywords.ts';
import { alias, integer, list, noEffect, none, refused, row, seconds, text } from './row.ts';

const ipvs = 'Evergate balances in user space: write the service as a frontend and a backend in haproxy.cfg';
const block = (name: Extract<import('./keywords.ts').Shape, { kind: 'block' }>['block'], named: 'required' | 'none') =>
  ({ kind: 'block', block: name, name: named }) as const;

const trackFile = row('track_file', block('track_file', 'required'), '', 'a file whose number moves priorities');

export const topKeywords: readonly Keyword[] = [
  row('global_defs', block('global_defs', 'none'), '', 'settings of the whole daemon'),
  row('vrrp_instance', block('vrrp_instance', 'required'), '', 'a virtual router'),
  row('vrrp_sync_group', block('vrrp_sync_group', 'required'), '', 'virtual routers that change state together'),
  row('vrrp_script', block('vrrp_script', 'required'), '', 'a script run periodically whose result is tracked'),
  trackFile,
  alias('vrrp_track_file', trackFile),
  row('vrrp_track_process', block('vrrp_track_process', 'required'), '', 'processes whose presence is tracked'),
  row('bfd_instance', block('bfd_instance', 'required'), '', 'a BFD session (RFC 5880) whose state is tracked'),
  row(
    'track_group',
    block('track_group', 'required'),
    '',
    'virtual routers in FAULT while the interface of a static address, route or rule that names the group is down, or one of those is gone and cannot be put back',
  ),
  row('garp_group', block('garp_group', 'none'), '', 'gaps between gratuitous ARPs on some interfaces'),
  row(
    'static_ipaddress',
    list('ADDRESS[/PREFIX] … [track_group NAME] [no_track]'),
    '',
    'addresses that stay, whatever the state; put back when somebody removes one, unless the line says no_track',
  ),
  row(
    'static_routes',
    list('ROUTE [track_group NAME] [no_track]'),
    '',
    'routes that stay, put back as static addresses are; track_group needs dev',
  ),
  row(
    'static_rules',
    list('RULE [track_group NAME] [no_track]'),
    '',
    'policy rules that stay, put back as static addresses are; track_group needs iif',
  ),
  row(
    'interface_up_down_delays',
    list('INTERFACE down-seconds [up-seconds]'),
    '0',
    'how long an interface must be down (up) before it counts',
  ),
  row(
    'net_namespace',
    text('NAME'),
    '',
    'network namespace to run in, of those that `ip netns` names; needs root: under the shipped systemd unit write NetworkNamespacePath= there instead',
  ),
  row(
    'instance',
    text('NAME'),
    '',
    'name of this daemon, part of the names of its pid files, which are in /run/keepalived',
  ),
  row('use_pid_dir', none, 'off', 'pid files in /run/keepalived'),
  noEffect(
    'child_wait_time',
    'seconds that children get to end',
    'notify scripts get five seconds at the end',
    integer(0, 300),
  ),
  refused(
    'linkbeat_use_polling',
    'poll the media state',
    'remove it: link state comes from the kernel by netlink at once',
    none,
  ),
  refused(
    'linkbeat_interfaces',
    'interfaces whose media state is polled',
    'remove it: link state comes from the kernel by netlink at once',
  ),
  refused('virtual_server', 'an IPVS virtual server', ipvs),
  refused('virtual_server_group', 'addresses of an IPVS virtual server', ipvs),
  refused('real_server', 'a server of an IPVS virtual server', ipvs),
  refused(
    'SSL',
    "certificates of IPVS' SSL_GET checker",
    'health checks over TLS are written in haproxy.cfg: option httpchk, server … check-ssl',
  ),
  noEffect('net_namespace_ipvs', 'network namespace of IPVS', 'there is no IPVS here'),
  noEffect('namespace_with_ipsets', 'use ipsets in namespaces on kernels before 3.13', 'no ipsets are used'),
];

export const trackGroupKeywords: readonly Keyword[] = [
  row('group', list('INSTANCE'), '', 'the virtual routers of the group'),
];

export const garpGroupKeywords: readonly Keyword[] = [
  row('garp_interval', seconds(0, 4294), '', 'gap between two gratuitous ARPs'),
  row('gna_interval', seconds(0, 4294), '', 'gap between two unsolicited neighbour advertisements'),
  row('interface', text('INTERFACE'), '', 'the interface with this gap'),
  row('interfaces', list('INTERFACE'), '', 'the interfaces that share this gap'),
];
