/**
 * One vrrp_instance into VirtualRouterPlan: Keepalived's defaults, and what it corrects (its vrrp_complete_instance), with the same
 * outcome and a warning at the place of the word that gives way.
 */

import {
  booleanOf,
  type Entry,
  entriesOf,
  has,
  lastOf,
  linesOf,
  nameOf,
  numberOf,
  textOf,
} from '../config/keepalived/config.ts';
import { type IpFamily, parseIp } from '../core/address.ts';
import type { VirtualAddress, VirtualRouterSettings, VrrpAuthentication } from '../core/vrrp/settings.ts';
import type { TrackReference, VirtualRouterPlan } from './vrrp.ts';
import { isInterfaceName, readAddress } from './vrrp-addresses.ts';
import { notifyOf } from './vrrp-commands.ts';
import type { PlanContext } from './vrrp-context.ts';
import { buildGarp } from './vrrp-garp.ts';
import { milliseconds } from './vrrp-global.ts';
import { readRoute } from './vrrp-routes.ts';
import { readRule } from './vrrp-rules.ts';
import { buildReferences, type Tracked } from './vrrp-tracking.ts';
import { buildTransport, sourceOf } from './vrrp-transport.ts';
import { buildIpvlan, buildVmac } from './vrrp-vmac.ts';

const owner = 255;

/** Undefined, with an alert, when it can't run at all: no VRID, no interface. */
export function buildInstance(entry: Entry, tracked: Tracked, context: PlanContext): VirtualRouterPlan | undefined {
  const { entries } = entry;
  const settings = buildSettings(entry, context);
  if (settings === undefined) return undefined;
  const references = buildReferences(entries, tracked, context);
  return {
    settings,
    ...references,
    trackInterfaces: withoutOwn(entry, settings.interface, references.trackInterfaces, context),
    routes: linesOf(entries, 'virtual_routes').flatMap((line) => readRoute(line, context) ?? []),
    rules: linesOf(entries, 'virtual_rules').flatMap((line) => readRule(line, context) ?? []),
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
    debug: numberOf(entries, 'debug') ?? 0,
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
  const strict = booleanOf(entries, 'strict_mode') ?? has(global, 'vrrp_strict');
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
  checkAddresses(entry, addresses, strict, context);
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
    checksumAsV2: booleanOf(entries, 'v3_checksum_as_v2') ?? booleanOf(global, 'vrrp_v3_checksum_as_v2') ?? false,
    accept: buildAccept(entry, { strict, version, basePriority: role.basePriority }, context),
    strict,
    skipCheckAdvertisedAddresses:
      booleanOf(entries, 'skip_check_adv_addr') ?? booleanOf(global, 'vrrp_skip_check_adv_addr') ?? false,
    // Keepalived from 2.3.3; dropping it, as 2.2.7 does, makes two masters.
    addressListMismatchAccepted: true,
    ...buildAnswers(entry, strict, context),
    garp: buildGarp(entry, strict, context),
    resignIsImmediate: !has(entries, 'no_immediate_takeover'),
    splitIsAnnounced: true,
    vmac: buildVmac(
      entry,
      { strict, unicast: transport.kind === 'unicast', virtualRouterId: virtualRouterId ?? 0 },
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

/** A warning at the last `word` of the instance, or at the instance where the word is absent. */
function warnInstance(
  entry: Entry,
  word: string,
  code: 'conflict' | 'bad-value' | 'incomplete' | 'risky',
  message: string,
  context: PlanContext,
): void {
  context.warn(code, (lastOf(entry.entries, word) ?? entry).place, `(${nameOf(entry)}) ${message}`);
}

function buildAddresses(entry: Entry, context: PlanContext) {
  const { entries } = entry;
  const readAll = (word: string) =>
    linesOf(entries, word).flatMap((line) => {
      const address = readAddress(line, context);
      return address === undefined ? [] : [{ address, place: line[0]!.place }];
    });
  const advertised = readAll('virtual_ipaddress');
  const family = firstFamily(entries);
  if (family === 'ipv4' && has(entries, 'native_ipv6'))
    warnInstance(
      entry,
      'native_ipv6',
      'conflict',
      'native_ipv6 does not go with IPv4 addresses: it is ignored',
      context,
    );
  const addresses: VirtualAddress[] = [];
  for (const { address, place } of advertised) {
    if (address.family === family) addresses.push(address);
    else
      context.warn(
        'conflict',
        place,
        `(${nameOf(entry)}) ${address.address} is not of the instance's family: it is left out`,
        'write it in virtual_ipaddress_excluded, or in a vrrp_instance of its own',
      );
  }
  const excludedAddresses = readAll('virtual_ipaddress_excluded').map((each) => each.address);
  return { family, ...fit(entry, addresses, excludedAddresses, context) } as const;
}

/** Whatever is written first decides the family: an address, a peer, a source, a group or native_ipv6. */
function firstFamily(entries: readonly Entry[]): IpFamily {
  for (const entry of entries) {
    const { word } = entry.keyword;
    if (word === 'native_ipv6') return 'ipv6';
    const texts =
      word === 'virtual_ipaddress' || word === 'unicast_peer'
        ? entry.lines.map((line) => line[0]!.text)
        : word === 'mcast_src_ip' || word === 'unicast_src_ip' || word === 'mcast_dst_ip'
          ? [entry.arguments[0]!.text]
          : [];
    for (const text of texts) {
      const ip = parseIp(text.split('/')[0]!);
      if (ip !== undefined) return ip.family;
    }
  }
  return 'ipv4';
}

/** An advertisement counts up to 255 addresses; of IPv6 as many as an Ethernet packet takes: (1500 - 40 - 8) / 16. */
const addressesMax = { ipv4: 255, ipv6: 90 } as const;

function fit(
  entry: Entry,
  addresses: readonly VirtualAddress[],
  excluded: readonly VirtualAddress[],
  context: PlanContext,
) {
  const max = addressesMax[addresses[0]?.family ?? 'ipv4'];
  if (addresses.length <= max) return { addresses, excludedAddresses: excluded };
  const message = `${addresses.length} addresses do not fit in an advertisement: those after the first ${max} are treated as excluded`;
  warnInstance(entry, 'virtual_ipaddress', 'bad-value', message, context);
  return { addresses: addresses.slice(0, max), excludedAddresses: [...addresses.slice(max), ...excluded] };
}

function checkAddresses(
  entry: Entry,
  addresses: readonly VirtualAddress[],
  strict: boolean,
  context: PlanContext,
): void {
  const first = addresses[0];
  if (first === undefined) {
    if (!has(entry.entries, 'no_virtual_ipaddress') || strict)
      warnInstance(
        entry,
        'virtual_ipaddress',
        'incomplete',
        `no address: at least one is ${strict ? 'required' : 'sensible'}`,
        context,
      );
  } else if (first.family === 'ipv6' && !/^fe[89ab]/.test(first.address))
    warnInstance(
      entry,
      'virtual_ipaddress',
      'risky',
      'the first IPv6 address should be link-local (RFC 9568 §5.2.9)',
      context,
    );
}

function buildVersion(entry: Entry, family: 'ipv4' | 'ipv6', context: PlanContext): 2 | 3 {
  const own = numberOf(entry.entries, 'version');
  const version = own ?? numberOf(context.global, 'vrrp_version');
  if (family === 'ipv4') return version === 3 ? 3 : 2;
  if (own === 2) warnInstance(entry, 'version', 'conflict', 'IPv6 needs VRRP version 3: 3 is used', context);
  return 3;
}

/** `state MASTER` without a priority means the owner of the address; strict mode wants MASTER exactly for the owner. */
function buildRole(
  entry: Entry,
  strict: boolean,
  context: PlanContext,
): { basePriority: number; initialState: 'backup' | 'active' } {
  const states = entriesOf(entry.entries, 'state');
  let master = false;
  for (const state of states) {
    const text = state.arguments[0]!.text;
    if (text === 'MASTER') master = true;
    else if (text !== 'BACKUP')
      context.warn('bad-value', state.arguments[0]!.place, `'${text}' is neither MASTER nor BACKUP: BACKUP is used`);
    else if (master)
      context.warn('duplicate', state.place, `(${nameOf(entry)}) state MASTER stands above: this BACKUP is ignored`);
  }
  const basePriority = numberOf(entry.entries, 'priority') ?? (master ? owner : 100);
  if (strict && master !== (basePriority === owner)) {
    warnInstance(
      entry,
      'state',
      'conflict',
      `strict mode: state MASTER goes with priority 255 only: ${master ? 'BACKUP' : 'MASTER'} is used`,
      context,
    );
    master = !master;
  }
  return { basePriority, initialState: master ? 'active' : 'backup' };
}

function buildAuthentication(
  entry: Entry,
  { strict, version, family }: { strict: boolean; version: 2 | 3; family: 'ipv4' | 'ipv6' },
  context: PlanContext,
): VrrpAuthentication {
  const block = lastOf(entry.entries, 'authentication');
  const type = block === undefined ? undefined : textOf(block.entries, 'auth_type');
  if (block === undefined || type === undefined) return { kind: 'none' };
  const ignored = (reason: string): VrrpAuthentication => {
    context.warn('conflict', block.place, `(${nameOf(entry)}) ${reason}: authentication is ignored`);
    return { kind: 'none' };
  };
  if (strict) return ignored('strict mode has no authentication');
  if (version === 3) return ignored('VRRP version 3 has no authentication');
  const password = lastOf(block.entries, 'auth_pass');
  if (password === undefined) return ignored('no auth_pass is given');
  if (type === 'AH' && family === 'ipv6') return ignored('AH does not work over IPv6');
  const text = password.arguments[0]!.text;
  if (new TextEncoder().encode(text).length > 8)
    context.warn('bad-value', password.arguments[0]!.place, 'auth_pass is longer than 8 characters: the first 8 count');
  return { kind: type === 'AH' ? 'ah' : 'pass', password: firstBytes(text, 8) };
}

/** The longest start of `text` that has at most `max` bytes in UTF-8. */
function firstBytes(text: string, max: number): string {
  let taken = '';
  let bytes = 0;
  for (const character of text) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > max) break;
    taken += character;
  }
  return taken;
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
  const missing = context.world.interfaces !== undefined && !context.world.interfaces.has(word.text);
  if (missing && !has(context.global, 'dynamic_interfaces'))
    context.alert(
      'unresolvable',
      word.place,
      `there is no interface '${word.text}'`,
      'write dynamic_interfaces in global_defs if it comes later',
    );
  return word.text;
}

/** Version 2 carries whole seconds up to 255, version 3 hundredths up to 40.95 (RFC 9568 §5.2.7). */
function buildInterval(entry: Entry, version: 2 | 3, context: PlanContext): number {
  const written = milliseconds(numberOf(entry.entries, 'advert_int') ?? 1);
  const [unit, max] = version === 2 ? [1000, 255_000] : [10, 40_950];
  const used = Math.max(unit, Math.min(max, Math.round(written / unit) * unit));
  if (used !== written)
    warnInstance(
      entry,
      'advert_int',
      'bad-value',
      `VRRP version ${version} cannot carry ${written / 1000} s: ${used / 1000} s is used`,
      context,
    );
  return used;
}

function buildDownTimer(entry: Entry, strict: boolean, context: PlanContext): number {
  const adverts =
    numberOf(entry.entries, 'down_timer_adverts') ?? numberOf(context.global, 'vrrp_down_timer_adverts') ?? 3;
  if (!strict || adverts === 3) return adverts;
  warnInstance(entry, 'down_timer_adverts', 'conflict', 'strict mode: down_timer_adverts is 3', context);
  return 3;
}

function buildPreemption(
  entry: Entry,
  given: { strict: boolean; initialState: 'backup' | 'active'; basePriority: number },
  context: PlanContext,
): { preempt: boolean; preemptDelayMs: number } {
  const { entries } = entry;
  const last = entries.filter((each) => each.keyword.word === 'preempt' || each.keyword.word === 'nopreempt').at(-1);
  let preempt = last?.keyword.word !== 'nopreempt';
  let preemptDelayMs = milliseconds(numberOf(entries, 'preempt_delay') ?? 0);
  const warn = (word: string, message: string) => warnInstance(entry, word, 'conflict', message, context);
  if (!preempt && given.basePriority === owner) {
    warn('nopreempt', 'nopreempt does not go with priority 255: it is ignored');
    preempt = true;
  }
  if (given.initialState === 'active') {
    if (!preempt) warn('nopreempt', 'nopreempt does not work with state MASTER: it is ignored');
    if (preemptDelayMs > 0) warn('preempt_delay', 'preempt_delay does not work with state MASTER: it is ignored');
    return { preempt: true, preemptDelayMs: 0 };
  }
  if (preemptDelayMs > 0 && given.strict) {
    warn('preempt_delay', 'strict mode has no preempt_delay: it is ignored');
    preemptDelayMs = 0;
  }
  if (preemptDelayMs > 0 && !preempt) {
    warn('preempt_delay', 'preempt_delay does not go with nopreempt: it is ignored');
    preemptDelayMs = 0;
  }
  return { preempt, preemptDelayMs };
}

/** Accept_Mode (RFC 9568 §6.1): on, but in strict mode off for all but the owner; version 2 has none to set. */
function buildAccept(
  entry: Entry,
  given: { strict: boolean; version: 2 | 3; basePriority: number },
  context: PlanContext,
): boolean {
  const last = entry.entries
    .filter((each) => each.keyword.word === 'accept' || each.keyword.word === 'no_accept')
    .at(-1);
  const written = last === undefined ? undefined : last.keyword.word === 'accept';
  if (!given.strict) return written ?? true;
  if (written === true && given.version === 2 && given.basePriority !== owner) {
    context.warn(
      'conflict',
      last!.place,
      `(${nameOf(entry)}) strict mode: VRRP version 2 has no accept mode: it is ignored`,
    );
    return false;
  }
  return written ?? given.basePriority === owner;
}

function buildAnswers(
  entry: Entry,
  strict: boolean,
  context: PlanContext,
): { lowerPrioNoAdvert: boolean; higherPrioSendAdvert: boolean } {
  const { entries } = entry;
  const lower = booleanOf(entries, 'lower_prio_no_advert');
  const higher = booleanOf(entries, 'higher_prio_send_advert');
  if (strict && lower === false)
    warnInstance(entry, 'lower_prio_no_advert', 'conflict', 'strict mode: lower_prio_no_advert is on', context);
  if (strict && higher === true)
    warnInstance(entry, 'higher_prio_send_advert', 'conflict', 'strict mode: higher_prio_send_advert is off', context);
  return {
    lowerPrioNoAdvert: strict || (lower ?? booleanOf(context.global, 'vrrp_lower_prio_no_advert') ?? false),
    higherPrioSendAdvert: !strict && (higher ?? booleanOf(context.global, 'vrrp_higher_prio_send_advert') ?? false),
  };
}
