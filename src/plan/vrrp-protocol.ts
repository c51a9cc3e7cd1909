/** The words of an instance that make up its protocol's parameters (RFC 9568 §6.1), with what Keepalived corrects in them. */

import { booleanOf, type Entry, entriesOf, lastOf, nameOf, numberOf, textOf } from '../config/keepalived/config.ts';
import type { VrrpAuthentication } from '../core/vrrp/settings.ts';
import { type PlanContext, warnInstance } from './vrrp-context.ts';
import { milliseconds } from './vrrp-global.ts';

/** The priority of the address owner (RFC 9568 §5.2.4). */
export const owner = 255;

export function buildVersion(entry: Entry, family: 'ipv4' | 'ipv6', context: PlanContext): 2 | 3 {
  const own = numberOf(entry.entries, 'version');
  const version = own ?? numberOf(context.global, 'vrrp_version');
  if (family === 'ipv4') return version === 3 ? 3 : 2;
  if (own === 2) warnInstance(entry, 'version', 'conflict', 'IPv6 needs VRRP version 3: 3 is used', context);
  return 3;
}

/** `state MASTER` without a priority means the owner of the address; strict mode wants MASTER exactly for the owner. */
export function buildRole(
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
  // The owner starts as MASTER whatever its state says.
  if (basePriority === owner) master = true;
  return { basePriority, initialState: master ? 'active' : 'backup' };
}

export function buildAuthentication(
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

/** Version 2 carries whole seconds up to 255, version 3 hundredths up to 40.95 (RFC 9568 §5.2.7). */
export function buildInterval(entry: Entry, version: 2 | 3, context: PlanContext): number {
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

export function buildDownTimer(entry: Entry, strict: boolean, context: PlanContext): number {
  const adverts =
    numberOf(entry.entries, 'down_timer_adverts') ?? numberOf(context.global, 'vrrp_down_timer_adverts') ?? 3;
  if (!strict || adverts === 3) return adverts;
  warnInstance(entry, 'down_timer_adverts', 'conflict', 'strict mode: down_timer_adverts is 3', context);
  return 3;
}

export function buildPreemption(
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
export function buildAccept(
  entry: Entry,
  given: { strict: boolean; version: 2 | 3; basePriority: number },
  context: PlanContext,
): boolean {
  // The addresses are its own: it answers on them whatever is written (RFC 9568 §6.1).
  if (given.basePriority === owner) return true;
  const last = entry.entries
    .filter((each) => each.keyword.word === 'accept' || each.keyword.word === 'no_accept')
    .at(-1);
  const written = last === undefined ? undefined : last.keyword.word === 'accept';
  if (!given.strict) return written ?? true;
  if (written === true && given.version === 2) {
    context.warn(
      'conflict',
      last!.place,
      `(${nameOf(entry)}) strict mode: VRRP version 2 has no accept mode: it is ignored`,
    );
    return false;
  }
  return written ?? false;
}

export function buildAnswers(
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

/** RFC 9568 §6.4.3 has the owner discard what it hears; Keepalived does it when told to, or in strict mode, from 2.3.3 on. */
export function buildDeafness(
  entry: Entry,
  { strict, basePriority }: { strict: boolean; basePriority: number },
  context: PlanContext,
): { ownerIgnoresAdvertisements?: true } {
  const word = booleanOf(entry.entries, 'owner_ignore_adverts');
  if (word === true && basePriority !== owner)
    warnInstance(entry, 'owner_ignore_adverts', 'conflict', 'only priority 255 is the owner: it is ignored', context);
  if (word === false && strict && basePriority === owner)
    warnInstance(entry, 'owner_ignore_adverts', 'conflict', 'strict mode: owner_ignore_adverts is on', context);
  return basePriority === owner && (strict || word === true) ? { ownerIgnoresAdvertisements: true } : {};
}
