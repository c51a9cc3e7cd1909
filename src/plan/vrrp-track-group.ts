/** `track_group NAME` on lines of static_ipaddress, static_routes and static_rules. */
import { entriesOf, nameOf } from '../config/keepalived/config.ts';
import type { Word } from '../config/keepalived/placed-text.ts';
import type { PlanContext } from './vrrp-context.ts';

/**
 * The group that a line names; undefined, with a warning, where it can't be tracked.
 * @param line its `no_track`, and whether an interface tells of it.
 */
export function readTrackGroup(
  value: Word | undefined,
  line: { readonly isStatic: boolean; readonly noTrack: boolean; readonly onInterface: boolean; readonly what: string },
  context: PlanContext,
): string | undefined {
  if (value === undefined) return undefined;
  const reason = !line.isStatic
    ? 'track_group is a word of static addresses, routes and rules'
    : line.noTrack
      ? `the ${line.what} has no_track too`
      : !line.onInterface
        ? `the ${line.what} names no interface (${line.what === 'rule' ? 'iif' : 'dev'})`
        : entriesOf(context.entries, 'track_group').some((entry) => nameOf(entry) === value.text)
          ? undefined
          : `there is no track_group '${value.text}'`;
  if (reason === undefined) return value.text;
  context.warn('conflict', value.place, `${reason}: it is not tracked`);
  return undefined;
}
