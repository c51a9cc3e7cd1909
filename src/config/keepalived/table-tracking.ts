/** Words of what is tracked and of sync groups: vrrp_script, track_file, vrrp_track_process, bfd_instance, vrrp_sync_group. */

import type { Keyword } from './keywords.ts';
import {
  alias,
  boolean,
  command,
  integer,
  list,
  noEffect,
  none,
  refused,
  row,
  seconds,
  secondsUpTo,
  text,
  words,
} from './row.ts';

const weight = (max: number, fallback: string, nearest = false) =>
  row(
    'weight',
    { kind: 'weight', max, nearest },
    fallback,
    'added to the priority while it is well (positive) or taken off while it is not (negative); 0: FAULT instead',
  );

export const scriptKeywords: readonly Keyword[] = [
  row('script', words('COMMAND'), '', 'the command, split at blanks; no shell'),
  row('interval', secondsUpTo(0.001, 4294), '1', 'between two runs; Keepalived before 2.3.2: whole seconds'),
  row('timeout', secondsUpTo(0.001, 4294), 'interval', 'after which a run has failed'),
  // 2.2.7 complains of a weight beyond the range and then uses it: the priority's own range makes the end of this one the same.
  weight(253, '0', true),
  row('rise', integer(1, 2_147_483_647), '1', 'successes in a row until it is well'),
  row('fall', integer(1, 2_147_483_647), '1', 'failures in a row until it is not'),
  row('user', words('USER [[:]GROUP]', 1, 2), 'script_user', 'who runs it'),
  row('init_fail', none, 'off', 'counts as failed until the first result'),
];

export const trackFileKeywords: readonly Keyword[] = [
  row('file', text('PATH'), '', 'the file; its first number counts'),
  row(
    'weight',
    { kind: 'weight', max: 254 },
    '1',
    'the number times this is added to the priority; 0: a number other than 0 means FAULT',
  ),
  row('init_file', words('[VALUE] [overwrite]', 0, 2), '', 'make the file at start'),
];

export const trackProcessKeywords: readonly Keyword[] = [
  row('process', words('NAME [ARGUMENT …]'), '', 'name of the process, and its arguments if they count'),
  row(
    'param_match',
    { kind: 'choice', values: ['initial', 'partial'], optional: true },
    'exact',
    'how the arguments are compared',
  ),
  weight(254, '0'),
  row('quorum', integer(1, 65_535), '1', 'at least so many processes'),
  row('quorum_max', integer(0, 65_535), '', 'at most so many'),
  row('fork_delay', seconds(0.000001, 3600), '0', 'after the quorum is reached until it counts'),
  row('terminate_delay', seconds(0.000001, 3600), '0', 'after the quorum is lost until it counts'),
  row('delay', seconds(0.000001, 3600), '0', 'both fork_delay and terminate_delay'),
  row('full_command', none, 'off', 'compare the whole command line, not the process name'),
];

const milliseconds = (min: number, max: number) => ({ kind: 'decimal', min, max, unit: 'milliseconds' }) as const;
const neighbour = row('neighbor_ip', text('ADDRESS'), '', 'the other end; required');

export const bfdKeywords: readonly Keyword[] = [
  neighbour,
  alias('neighbour_ip', neighbour),
  row('source_ip', text('ADDRESS'), '', 'this end'),
  row('min_rx', milliseconds(0.001, 4_294_967), '10', 'shortest gap in which packets are accepted'),
  row('min_tx', milliseconds(0.001, 4_294_967), '10', 'shortest gap in which packets are sent'),
  row('idle_tx', milliseconds(0.001, 4_294_967), '1000', 'gap while the session is not up'),
  row('multiplier', integer(1, 255), '5', 'packets missed until the session is down'),
  row('passive', none, 'off', 'wait for the other end to begin'),
  row('ttl', integer(1, 255), '255', 'of packets sent over IPv4'),
  row('hoplimit', integer(1, 255), '64', 'of packets sent over IPv6'),
  row('max_hops', integer(-1, 255), '0', 'hops that received packets may have taken; 255: any'),
  row('multihop', boolean, 'off', 'UDP port 4784 (RFC 5883) instead of 3784; max_hops still counts', '2.2.8'),
  weight(253, '0'),
  noEffect('vrrp', 'events go to the VRRP daemon', 'always so: nobody else tracks BFD sessions', none),
  refused('checker', "events go to IPVS' checkers only", 'remove it, or track the session with track_bfd', none),
];

export const notifyKeywords: readonly Keyword[] = [
  row('notify_master', command, '', 'run on becoming MASTER'),
  row('notify_backup', command, '', 'run on becoming BACKUP'),
  row('notify_fault', command, '', 'run on FAULT'),
  row('notify_stop', command, '', 'run when the daemon stops'),
  row('notify', command, '', 'run on every change with INSTANCE|GROUP, name, state and priority as last arguments'),
  row(
    'notify_priority_changes',
    boolean,
    'vrrp_notify_priority_changes',
    'write priority changes to the notify FIFO too',
  ),
  row('smtp_alert', boolean, 'smtp_alert_vrrp, smtp_alert, or off', 'mail on every change'),
];

export const trackKeywords: readonly Keyword[] = [
  row(
    'track_interface',
    list('INTERFACE [weight -253..253] [reverse|noreverse]'),
    '',
    'interfaces that must be up, or move the priority',
  ),
  row(
    'track_script',
    list('SCRIPT [weight -253..253] [reverse|noreverse]'),
    '',
    'scripts that must succeed, or move the priority',
  ),
  row('track_file', list('FILE [weight -254..254] [reverse|noreverse]'), '', 'files whose number moves the priority'),
  row(
    'track_process',
    list('PROCESS [weight -254..254] [reverse|noreverse]'),
    '',
    'processes that must run, or move the priority',
  ),
  row(
    'track_bfd',
    list('SESSION [weight -253..253] [reverse|noreverse]'),
    '',
    'BFD sessions that must be up, or move the priority',
  ),
];

export const syncGroupKeywords: readonly Keyword[] = [
  row('group', list('INSTANCE'), '', 'the virtual routers of the group'),
  ...trackKeywords,
  ...notifyKeywords,
  refused(
    'notify_deleted',
    "the manual has it here, Keepalived's parser has not",
    'write it in the vrrp_instance: a group is not deleted with its members',
    { kind: 'command', optional: true },
  ),
  refused(
    'global_tracking',
    'track what one member tracks for all',
    'write track_interface, track_script and so on in the group itself',
    none,
  ),
  row(
    'sync_group_tracking_weight',
    none,
    'off',
    "members' weights count although they may make their priorities differ",
  ),
];
