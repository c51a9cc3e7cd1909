/** From a failing schedule to a small one that still breaks the same invariant: fewer faults, fewer nodes, a plainer network, less time. */

import type { Violation } from './monitor.ts';
import type { Fault, Schedule } from './schedule.ts';
import { runSchedule, type WorldOptions } from './world.ts';

export interface Failure {
  readonly schedule: Schedule;
  readonly violation: Violation;
}

/** Tries smaller schedules until none fails any more, at most `runsMax` of them. */
export function shrink(failure: Failure, options: WorldOptions = {}, runsMax = 3000): Failure {
  let best = failure;
  let runs = 0;
  const fails = (schedule: Schedule): boolean => {
    if (runs++ >= runsMax) return false;
    const violation = runSchedule(schedule, options);
    if (violation?.invariant !== failure.violation.invariant) return false;
    best = { schedule, violation };
    return true;
  };
  for (let smaller = true; smaller && runs < runsMax; ) {
    smaller = false;
    for (const candidate of smallerSchedules(best)) {
      if (!fails(candidate)) continue;
      smaller = true;
      break;
    }
  }
  return best;
}

function* smallerSchedules({ schedule, violation }: Failure): Generator<Schedule> {
  const { faults, nodes, network } = schedule;
  const endMs = Math.ceil(violation.at) + 1;
  if (endMs < schedule.durationMs)
    yield { ...schedule, durationMs: endMs, faults: faults.filter(({ at }) => at <= endMs) };
  for (let size = faults.length >> 1; size >= 1; size >>= 1)
    for (let start = 0; start < faults.length; start += size)
      yield { ...schedule, faults: [...faults.slice(0, start), ...faults.slice(start + size)] };
  // Faults of a node that is gone do nothing; only the last node can go, or the others would change their addresses.
  if (nodes.length > 2)
    yield { ...schedule, nodes: nodes.slice(0, -1), faults: faults.filter((fault) => fits(fault, nodes.length - 1)) };
  if (network.reorders) yield { ...schedule, network: { ...network, reorders: false } };
  if (network.duplicates > 0) yield { ...schedule, network: { ...network, duplicates: 0 } };
  if (network.bfdSessions) yield { ...schedule, network: { ...network, bfdSessions: false } };
  if ((schedule.grouped ?? 1) > 1) yield { ...schedule, grouped: 1 };
  if (network.bfdMs > 0) yield { ...schedule, network: { ...network, bfdMs: 0 } };
  if (network.delayMaxMs > network.delayMinMs)
    yield { ...schedule, network: { ...network, delayMaxMs: network.delayMinMs } };
  // Earlier and at round times; the order of the faults is kept.
  for (const [index, fault] of faults.entries()) {
    const earliest = faults[index - 1]?.at ?? 0;
    for (const at of [earliest, Math.ceil(fault.at / 1000) * 1000 - 1000])
      if (at >= earliest && at < fault.at) yield { ...schedule, faults: faults.with(index, { ...fault, at }) };
  }
}

function fits(fault: Fault, count: number): boolean {
  if ('node' in fault && fault.node >= count) return false;
  if (fault.kind === 'cut') return fault.from < count && fault.to < count;
  return fault.kind !== 'peer-lost' || fault.peer < count;
}
