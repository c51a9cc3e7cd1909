/** garp_… of an instance, over vrrp_garp_… of global_defs, over Keepalived's defaults. */

import { booleanOf, type Entry, lastOf, nameOf, numberOf } from '../config/keepalived/config.ts';
import { parseInteger } from '../config/keepalived/values.ts';
import type { GarpSettings } from '../core/vrrp/settings.ts';
import type { PlanContext } from './vrrp-context.ts';
import { milliseconds } from './vrrp-global.ts';

export function buildGarp(entry: Entry, strict: boolean, context: PlanContext): GarpSettings {
  const { entries } = entry;
  const { global } = context;
  const minimal = booleanOf(global, 'vrrp_min_garp') ?? false;
  const pick = (word: string, fallback: number) =>
    numberOf(entries, word) ?? numberOf(global, `vrrp_${word}`) ?? fallback;
  const delay = pick('garp_master_delay', minimal ? 0 : 5);
  const repeat = pick('garp_master_repeat', minimal ? 1 : 5);
  // Not the instance's own garp_master_…: what stands in global_defs, whatever the manual lets one expect (seen with 2.2.7).
  const lowerDelay = pick('garp_lower_prio_delay', numberOf(global, 'vrrp_garp_master_delay') ?? (minimal ? 0 : 5));
  const lowerRepeat = pick('garp_lower_prio_repeat', numberOf(global, 'vrrp_garp_master_repeat') ?? (minimal ? 1 : 5));
  if (strict)
    for (const word of ['garp_lower_prio_delay', 'garp_lower_prio_repeat']) {
      const own = lastOf(entries, word);
      if (own !== undefined && own.value !== 0)
        context.warn('conflict', own.place, `(${nameOf(entry)}) strict mode: ${word} is 0`);
    }
  const extra = buildExtra(entry, context);
  return {
    delayMs: delay * 1000,
    repeat,
    refreshMs: pick('garp_master_refresh', 0) * 1000,
    refreshRepeat: pick('garp_master_refresh_repeat', minimal ? 0 : 1),
    lowerPrioDelayMs: strict ? 0 : lowerDelay * 1000,
    lowerPrioRepeat: strict ? 0 : lowerRepeat,
    intervalMs: milliseconds(numberOf(global, 'vrrp_garp_interval') ?? 0),
    naIntervalMs: milliseconds(numberOf(global, 'vrrp_gna_interval') ?? 0),
    ...(extra === undefined ? {} : { extraInterfaces: extra }),
  };
}

/** `garp_extra_if [all] SECONDS`; 0 turns the global one off. */
function buildExtra(entry: Entry, context: PlanContext): GarpSettings['extraInterfaces'] {
  const source = lastOf(entry.entries, 'garp_extra_if') ?? lastOf(context.global, 'vrrp_garp_extra_if');
  if (source === undefined) return undefined;
  const all = source.arguments.some((word) => word.text === 'all');
  const time = source.arguments.find((word) => word.text !== 'all');
  const number = time === undefined ? undefined : parseInteger(time.text);
  // A day is the manual's limit.
  if (number === undefined || number < 0 || number > 86_400) {
    context.warn(
      'bad-value',
      (time ?? source).place,
      `'${source.keyword.word}' needs seconds from 0 to 86400: it is ignored`,
    );
    return undefined;
  }
  return number === 0 ? undefined : { intervalMs: number * 1000, all };
}
