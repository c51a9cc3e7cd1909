/**
 * Interfaces that count although no track_interface names them: those that hold a router's addresses, those that its routes and rules
 * name, and with track_group those of static addresses, routes and rules. Without one of them the router is in FAULT, as in Keepalived.
 */
import { type Entry, linesOf, nameOf } from '../config/keepalived/config.ts';
import type { VirtualAddress } from '../core/vrrp/settings.ts';
import type { RoutePlan, RulePlan, TrackReference } from './vrrp.ts';
import type { PlanContext } from './vrrp-context.ts';

/** What stands on this host, or is to stand on it while a router is active. */
export interface Placed {
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly RoutePlan[];
  readonly rules: readonly RulePlan[];
}

/** `no_track` takes one out. Routes and rules without an interface of their own can't be told by one. */
export function interfacesOf({ addresses, routes, rules }: Placed): string[] {
  return [
    ...addresses.filter(({ noTrack }) => noTrack !== true).map(({ device }) => device),
    ...routes.filter(({ noTrack }) => !noTrack).map(({ words }) => argumentOf(words, 'dev')),
    ...rules.filter(({ noTrack }) => !noTrack).map(({ words }) => argumentOf(words, 'iif')),
  ].filter((name) => name !== undefined);
}

/** Of next hops' devices none is the route's. */
function argumentOf(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  const nexthop = words.indexOf('nexthop');
  return at === -1 || (nexthop !== -1 && nexthop < at) ? undefined : words[at + 1];
}

/** The tracked interfaces with these too: FAULT when one is down, whatever weight a line of track_interface gives it (Keepalived 2.2.7). */
export function withImplied(
  entry: Entry,
  own: string,
  tracked: readonly TrackReference[],
  implied: readonly string[],
  context: PlanContext,
): TrackReference[] {
  const names = new Set(implied.filter((name) => name !== own));
  const written = tracked.filter((reference) => {
    if (!names.has(reference.name)) return true;
    const line = linesOf(entry.entries, 'track_interface').find(([name]) => name?.text === reference.name);
    if (reference.weight !== 0 || reference.reverse)
      context.warn(
        'conflict',
        (line?.[0] ?? entry).place,
        `(${nameOf(entry)}) '${reference.name}' means FAULT when it is down: addresses, routes or rules need it`,
        'remove the line, or write no_track where they are',
      );
    return false;
  });
  return [...written, ...[...names].map((name) => ({ target: -1, name, weight: 0, reverse: false }))];
}
