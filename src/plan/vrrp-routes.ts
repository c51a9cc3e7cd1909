/** Lines of virtual_routes, virtual_rules, static_routes and static_rules: checked words for the adapter. */

import type { Word } from '../config/keepalived/placed-text.ts';
import type { RoutePlan } from './vrrp.ts';
import { readPrefixed } from './vrrp-addresses.ts';
import type { PlanContext } from './vrrp-context.ts';

/** Words that Keepalived has beside ip-route's and ip-rule's: taken out of the words that the adapter gets. */
export function readRoute(line: readonly Word[], _context: PlanContext): RoutePlan {
  const words: string[] = [];
  let noTrack = false;
  let trackGroup: string | undefined;
  for (let index = 0; index < line.length; index++) {
    const { text } = line[index]!;
    if (text === 'no_track') noTrack = true;
    else if (text === 'track_group') trackGroup = line[++index]?.text;
    else words.push(text);
  }
  const six = words.some((word) => word === 'inet6' || (word.includes(':') && readPrefixed(word)?.family === 'ipv6'));
  return { words, family: six ? 'ipv6' : 'ipv4', noTrack, trackGroup };
}
