/**
 * Lines of virtual_rules and static_rules: ip-rule(8)'s words as Keepalived takes them, checked and made canonical for the adapter:
 * `[option value]…` with exactly one action (`table`, `goto`, `nop`, `blackhole`, `prohibit`, `unreachable` or `l3mdev`) and a `priority`.
 */

import type { Word } from '../config/keepalived/placed-text.ts';
import type { IpFamily } from '../core/address.ts';
import type { RulePlan } from './vrrp.ts';
import { expectInterface, isInterfaceName, readPrefixed } from './vrrp-addresses.ts';
import type { PlanContext } from './vrrp-context.ts';
import { type NamedNumber, resolveNumber, resolveRealms, within } from './vrrp-routes.ts';
import { readTrackGroup } from './vrrp-track-group.ts';

const spellings: Readonly<Record<string, string>> = {
  dev: 'iif',
  lookup: 'table',
  preference: 'priority',
  order: 'priority',
  dsfield: 'tos',
  ip_proto: 'ipproto',
  'tunnel-id': 'tun_id',
  suppress_prefixlen: 'suppress_prefixlength',
};
const actions = new Set(['blackhole', 'prohibit', 'unreachable', 'nop', 'l3mdev']);
const actionWords = new Set([...actions, 'table', 'goto']);
const range = (max: number) => (text: string) => text.split('-').length <= 2 && text.split('-').every(within(0, max));

const options: Readonly<Record<string, (text: string) => boolean>> = {
  iif: isInterfaceName,
  oif: isInterfaceName,
  priority: within(0, 4_294_967_295),
  fwmark: (text) => text.split('/').length <= 2 && text.split('/').every(within(0, 4_294_967_295)),
  goto: within(1, 4_294_967_295),
  suppress_prefixlength: within(-1, 128),
  tun_id: (text) => /^\d{1,20}$/.test(text),
  uidrange: (text) => text.includes('-') && range(4_294_967_295)(text),
  sport: range(65_535),
  dport: range(65_535),
};

const named: Readonly<Record<string, NamedNumber>> = {
  table: { kind: 'table', max: 4_294_967_295 },
  tos: { kind: 'tos', max: 255 },
  suppress_ifgroup: { kind: 'group', max: 4_294_967_295 },
  protocol: { kind: 'protocol', max: 255 },
  ipproto: { kind: 'ip-protocol', max: 255 },
};

function takesValue(name: string): boolean {
  return (
    ['from', 'to', 'realms', 'track_group'].includes(name) || named[name] !== undefined || options[name] !== undefined
  );
}

/** Counts down for rules without a preference, a family each, as Keepalived does from 16384. */
export class RulePriorities {
  readonly #next: Record<IpFamily, number> = { ipv4: 16_384, ipv6: 16_384 };

  take(family: IpFamily): number {
    return this.#next[family]--;
  }
}

/** Undefined, with a warning, when Keepalived would leave the line out. */
export function readRule(line: readonly Word[], context: PlanContext, isStatic = false): RulePlan | undefined {
  const words: string[] = [];
  let family: IpFamily | undefined;
  let noTrack = false;
  let group: Word | undefined;
  const leaveOut = (word: Word, reason: string): undefined => {
    context.warn('bad-value', word.place, `${reason}: the line is left out`);
    return undefined;
  };
  for (let index = 0; index < line.length; index++) {
    const word = line[index]!;
    const name = spellings[word.text] ?? word.text;
    if (name === 'no_track') noTrack = true;
    else if (name === 'not' || actions.has(name)) words.push(name);
    else if (name === 'inet' || name === 'inet6') {
      const wanted = name === 'inet' ? 'ipv4' : 'ipv6';
      if (family !== undefined && family !== wanted) return leaveOut(word, `${name} in a rule of the other family`);
      family = wanted;
    } else if (takesValue(name)) {
      const value = line[++index];
      if (value === undefined) {
        context.alert('missing-argument', word.place, `'${word.text}' needs a value`);
        return undefined;
      }
      if (name === 'track_group') group = value;
      else if (name === 'from' || name === 'to') {
        const prefixed = value.text === 'all' || value.text === 'any' ? undefined : readPrefixed(value.text);
        if (prefixed === undefined && value.text !== 'all' && value.text !== 'any')
          return leaveOut(value, `'${value.text}' is not an IP address with an optional /prefix`);
        if (prefixed === undefined) continue;
        if (family !== undefined && family !== prefixed.family) return leaveOut(value, 'the rule mixes IPv4 and IPv6');
        family = prefixed.family;
        words.push(name, `${prefixed.address}/${prefixed.prefix}`);
      } else if (name === 'realms' || named[name] !== undefined) {
        const number =
          name === 'realms' ? resolveRealms(value.text, context) : resolveNumber(value.text, named[name]!, context);
        if (number === undefined) return leaveOut(value, `'${value.text}' is no value of ${name}`);
        words.push(name, number);
      } else if ((name === 'sport' || name === 'dport') && within(0, 65_535)(value.text)) {
        // 2.2.7 takes ranges only, and keeps the rule without the word.
        context.warn(
          'bad-value',
          value.place,
          `${name} needs a range: it is left out, and the rule holds for every port`,
          `write ${name} ${value.text}-${value.text}`,
        );
      } else if (options[name]!(value.text)) {
        if (name === 'iif' || name === 'oif') expectInterface(value, context);
        words.push(name, value.text);
      } else return leaveOut(value, `'${value.text}' is no value of ${name}`);
    } else return leaveOut(word, `'${word.text}' is no word of a rule`);
  }
  const count = words.filter(
    (word, index) => actionWords.has(word) && !(index > 0 && takesValue(words[index - 1]!)),
  ).length;
  if (count !== 1)
    return leaveOut(
      line[0]!,
      count === 0 ? 'the rule has no action (table, goto, blackhole, …)' : 'the rule has more than one action',
    );
  family ??= 'ipv4';
  if (!words.includes('priority')) {
    const priority = context.rulePriorities.take(family);
    context.warn(
      'risky',
      line[0]!.place,
      `the rule has no preference: ${priority} is used, which is probably not meant`,
      'write preference NUMBER',
    );
    words.push('priority', String(priority));
  }
  const onInterface = words.includes('iif');
  const trackGroup = readTrackGroup(group, { isStatic, noTrack, onInterface, what: 'rule' }, context);
  return { words, family, noTrack, trackGroup };
}
