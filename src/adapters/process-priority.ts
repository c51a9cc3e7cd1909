/** What this process gets before others, as `vrrp_rt_priority` and `vrrp_priority` ask. */
import { setPriority } from 'node:os';
import { errno, errorName, libc } from './libc.ts';
import { int32 } from './netlink-socket.ts';

const SCHED_RR = 2;
/** Scripts must not inherit the priority: a busy one would starve the machine. */
const SCHED_RESET_ON_FORK = 0x40000000;

export interface PriorityRequest {
  /** 1 to 99 for SCHED_RR, 0 = not asked. */
  readonly realtimePriority: number;
  /** Nice value, 0 = unchanged. */
  readonly processPriority: number;
}

/** Does what is asked and allowed. @returns one line for each thing that was refused. */
export function raisePriority(request: PriorityRequest): string[] {
  const refused: string[] = [];
  const c = libc();
  if (c === undefined) return refused;
  if (
    request.realtimePriority > 0 &&
    c.sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, int32(request.realtimePriority)) < 0
  )
    refused.push(`Unable to set realtime priority ${request.realtimePriority}: ${errorName(errno())}`);
  if (request.processPriority !== 0) {
    try {
      setPriority(request.processPriority);
    } catch (error) {
      refused.push(
        `Unable to set process priority ${request.processPriority}: ${(error as NodeJS.ErrnoException).code}`,
      );
    }
  }
  return refused;
}
