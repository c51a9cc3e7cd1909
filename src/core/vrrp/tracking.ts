/**
 * From what is tracked to the running priority and the reasons for FAULT (keepalived.conf(5): track_script, track_interface, track_file,
 * track_process, track_bfd).
 *
 * Weight 0: failure is a fault. A positive weight is added while the object is well, a negative one is subtracted while it is not, so with a
 * positive weight the configured priority is never the running one. `reverse` turns the sign: a positive weight is subtracted while the object
 * is well, a negative one added while it is not; of weight 0 it makes well the fault.
 */

import type { TrackingResult } from './events.ts';

export interface Tracked {
  /** What it is, as operators name it: "script chk_haproxy", "interface eth1". */
  readonly name: string;
  readonly weight: number; // -254..254
  readonly reverse: boolean;
  /** `unknown`: no result yet. A number: the value of a tracked file. */
  readonly result: 'well' | 'failed' | 'unknown' | number;
}

/** The priority is 255 exactly for the owner, whose priority no weight changes; otherwise it stays within 1..254. */
export function runningPriority(basePriority: number, tracked: readonly Tracked[]): TrackingResult {
  const owner = basePriority === 255;
  const faults: string[] = [];
  const pending: string[] = [];
  let priority = basePriority;
  for (const object of tracked) {
    if (object.weight === 0) {
      if (object.result === 'unknown') pending.push(object.name);
      else if (isWell(object) === object.reverse) faults.push(`${object.name} ${object.reverse ? 'is up' : 'failed'}`);
    } else if (!owner) {
      const change = priorityChange(object);
      // A file can ask for FAULT with a number: keepalived.conf(5) track_file.
      if (typeof object.result === 'number' && change < -253) faults.push(`${object.name} says ${object.result}`);
      else priority += change;
    }
  }
  return { priority: owner ? 255 : Math.min(254, Math.max(1, priority)), faults, pending };
}

function isWell(object: Tracked): boolean {
  return typeof object.result === 'number' ? object.result === 0 : object.result === 'well';
}

/** What an object with a weight adds to the priority now. */
export function priorityChange(object: Tracked): number {
  const { weight, reverse, result } = object;
  if (typeof result === 'number') return Math.min(253, (reverse ? -1 : 1) * weight * result);
  if (result === 'unknown') return 0;
  const counts = (result === 'well') === weight > 0;
  if (!counts) return 0;
  return reverse ? -weight : weight;
}
