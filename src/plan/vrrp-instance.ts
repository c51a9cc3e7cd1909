/**
 * One vrrp_instance into VirtualRouterPlan: Keepalived's defaults, and what it corrects (its vrrp_complete_instance), with the same
 * outcome and a warning at the place of the word that gives way.
 */

import { booleanOf, type Entry, has, lastOf, linesOf, nameOf, numberOf, textOf } from '../config/keepalived/config.ts';
import type { VirtualRouterSettings } from '../core/vrrp/settings.ts';
import type { TrackReference, VirtualRouterPlan } from './vrrp.ts';
import { expectInterface, isInterfaceName } from './vrrp-addresses.ts';
import { notifyOf } from './vrrp-commands.ts';
import { type PlanContext, warnInstance } from './vrrp-context.ts';
import { buildGarp } from './vrrp-garp.ts';
import { interfacesOf, withImplied } from './vrrp-implied-tracking.ts';
import { buildAddresses, checkAddresses } from './vrrp-instance-addresses.ts';
import {
  buildAccept,
  buildAnswers,
  buildAuthentication,
  buildDeafness,
  buildDownTimer,
  buildInterval,
  buildPreemption,
  buildRole,
  buildVersion,
  owner,
} from './vrrp-protocol.ts';
import { readRoute } from './vrrp-routes.ts';
import { readRule } from './vrrp-rules.ts';
import { buildReferences, type Tracked } from './vrrp-tracking.ts';
import { buildTransport, sourceOf } from './vrrp-transport.ts';
import { buildIpvlan, buildVmac } from './vrrp-vmac.ts';

/** Undefined, with an alert, when it can't run at all: no VRID, no interface. */
export function buildInstance(entry: Entry, tracked: Tracked, context: PlanContext): VirtualRouterPlan | undefined {
  const { entries } = entry;
  const settings = buildSettings(entry, context);
  if (settings === undefined) return undefined;
  const references = buildReferences(entries, tracked, context);
  const routes = linesOf(entries, 'virtual_routes').flatMap((line) => readRoute(line, context) ?? []);
  const rules = linesOf(entries, 'virtual_rules').flatMap((line) => readRule(line, context) ?? []);
  const addresses = [...settings.addresses, ...settings.excludedAddresses];
  const written = withoutOwn(entry, settings.interface, references.trackInterfaces, context);
  const implied = interfacesOf({ addresses, routes, rules });
  return {
    settings,
    ...references,
    trackInterfaces: withImplied(entry, settings.interface, written, implied, context),
    routes,
    rules,
    notify: notifyOf(entries, context),
    smtpAlert:
      booleanOf(entries, 'smtp_alert') ??
      booleanOf(context.global, 'smtp_alert_vrrp') ??
      booleanOf(context.global, 'smtp_alert') ??
      false,
    notifyPriorityChanges:
      booleanOf(entries, 'notify_priority_changes') ??
      booleanOf(context.global, 'vrrp_notify_priority_changes') ??
      false,
    notifyDeleted: has(entries, 'notify_deleted'),
    promoteSecondaries: has(entries, 'promote_secondaries'),
    ipvlan: buildIpvlan(entries, settings.family, context),
    vrf: textOf(entries, 'vrf'),
    receiveBufferBytes: numberOf(entries, 'kernel_rx_buf_size'),
  };
}

/** The own interface counts anyway, or with dont_track_primary not: a track_interface line for it changes nothing in Keepalived. */
function withoutOwn(
  entry: Entry,
  own: string,
  tracked: readonly TrackReference[],
  context: PlanContext,
): TrackReference[] {
  return tracked.filter((reference) => {
    if (reference.name !== own) return true;
    warnInstance(entry, 'track_interface', 'conflict', `'${own}' is the own interface: the line is ignored`, context);
    return false;
  });
}

function buildSettings(entry: Entry, context: PlanContext): VirtualRouterSettings | undefined {
  const { entries } = entry;
  const { global } = context;
  const virtualRouterId = readVirtualRouterId(entry, context);
  const { addresses, excludedAddresses, family } = buildAddresses(entry, context);
  const strict = booleanOf(entries, 'strict_mode') ?? booleanOf(global, 'vrrp_strict') ?? false;
  const version = buildVersion(entry, family, context);
  const role = buildRole(entry, strict, context);
  const authentication = buildAuthentication(entry, { strict, version, family }, context);
  const initialState =
    authentication.kind === 'ah' && role.initialState === 'active' && role.basePriority !== owner
      ? 'backup'
      : role.initialState;
  if (initialState !== role.initialState)
    warnInstance(
      entry,
      'state',
      'conflict',
      'initial state MASTER does not go with AH authentication: BACKUP is used',
      context,
    );
  checkAddresses(entry, addresses, { strict, version }, context);
  const transport = buildTransport(entry, family, context);
  const name = buildInterface(entry, transport.kind === 'unicast', context);
  const lateTimer = lastOf(entries, 'timer_expired_backup');
  // Everything is looked at before giving up, so that one run tells all that is wrong.
  const settings = {
    name: nameOf(entry),
    version,
    family,
    basePriority: role.basePriority,
    advertisementIntervalMs: buildInterval(entry, version, context),
    downTimerAdverts: buildDownTimer(entry, strict, context),
    ...buildPreemption(entry, { strict, initialState, basePriority: role.basePriority }, context),
    initialState,
    addresses,
    excludedAddresses,
    transport,
    authentication,
    checksumAsV2: booleanOf(entries, 'v3_checksum_as_v2') ?? booleanOf(global, 'v3_checksum_as_v2') ?? false,
    accept: buildAccept(entry, { strict, version, basePriority: role.basePriority }, context),
    strict,
    skipCheckAdvertisedAddresses:
      booleanOf(entries, 'skip_check_adv_addr') ?? booleanOf(global, 'vrrp_skip_check_adv_addr') ?? false,
    // Keepalived from 2.3.3; dropping it, as 2.2.7 does, makes two masters.
    addressListMismatchAccepted: true,
    ...buildAnswers(entry, strict, context),
    ...buildDeafness(entry, { strict, basePriority: role.basePriority }, context),
    garp: buildGarp(entry, strict, context),
    resignIsImmediate: !has(entries, 'no_immediate_takeover'),
    splitIsAnnounced: true,
    ...(has(entries, 'no_peer_bfd') ? { peerBfd: false } : {}),
    ...(has(entries, 'no_address_lease') ? { addressesAreLeased: false } : {}),
    vmac: buildVmac(
      entry,
      { strict, unicast: transport.kind === 'unicast', family, virtualRouterId: virtualRouterId ?? 0 },
      context,
    ),
    trackPrimaryInterface: !has(entries, 'dont_track_primary'),
    ...(has(entries, 'track_src_ip') ? { trackSourceAddress: true } : {}),
    ...(lateTimer === undefined
      ? {}
      : { lateTimerPriority: typeof lateTimer.value === 'number' ? lateTimer.value : owner - 1 }),
  };
  if (name === undefined || virtualRouterId === undefined) return undefined;
  return { ...settings, interface: name, virtualRouterId };
}

/** Undefined, with an alert, when it is absent or out of range. */
function readVirtualRouterId(entry: Entry, context: PlanContext): number | undefined {
  const id = numberOf(entry.entries, 'virtual_router_id');
  if (id === undefined)
    context.alert(
      'incomplete',
      entry.place,
      `(${nameOf(entry)}) the virtual router id must be set`,
      'write virtual_router_id 1..255',
    );
  return id;
}

/** Undefined, with an alert, when there is none and no unicast, or it can't be one. */
function buildInterface(entry: Entry, unicast: boolean, context: PlanContext): string | undefined {
  const word = lastOf(entry.entries, 'interface')?.arguments[0];
  if (word === undefined) {
    const source = sourceOf(entry.entries);
    if (unicast && source !== undefined) return '';
    const reason = unicast ? 'unicast needs unicast_src_ip or interface' : 'no interface';
    context.alert('incomplete', entry.place, `(${nameOf(entry)}) ${reason}`, 'write interface NAME');
    return undefined;
  }
  if (!isInterfaceName(word.text)) {
    context.alert(
      'bad-value',
      word.place,
      `'${word.text}' is no interface name`,
      'an interface name has 1 to 15 characters',
    );
    return undefined;
  }
  if (word.text === 'lo') {
    context.alert('bad-value', word.place, 'VRRP does not run on the loopback interface');
    return undefined;
  }
  expectInterface(word, context);
  return word.text;
}
