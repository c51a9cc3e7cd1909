/** What the VRRP daemon of each node costs while nothing happens. */
import { readdirSync, readFileSync } from 'node:fs';
import { memory } from '../processes.ts';

export interface Usage {
  readonly node: string;
  readonly state: string;
  /** Percent of one processor: the daemon's threads, and with the programs that it starts. */
  readonly cpuPercent: number;
  readonly withScriptsPercent: number;
  /** Proportional set size in MiB. */
  readonly memoryMiB: number;
}

/** @param pids of each node's daemon, with the state that it is in. */
export async function idleUsage(
  daemons: readonly { readonly node: string; readonly state: string; readonly pids: readonly number[] }[],
  seconds: number,
): Promise<Usage[]> {
  const times = () => daemons.map(({ pids }) => pids.map(processorTimeOf));
  const before = times();
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = times();
  const passedMs = performance.now() - from;
  return daemons.map(({ node, state, pids }, i) => {
    const percent = (which: 'own' | 'children') =>
      (100 * pids.reduce((sum, _, j) => sum + after[i]![j]![which] - before[i]![j]![which], 0)) / passedMs;
    return {
      node,
      state,
      cpuPercent: percent('own'),
      withScriptsPercent: percent('own') + percent('children'),
      memoryMiB: Math.max(...pids.map(memory)),
    };
  });
}

/** Milliseconds: of its threads to the nanosecond (sched(7) statistics), of children that have ended to the tick. */
function processorTimeOf(pid: number): { readonly own: number; readonly children: number } {
  let own = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    own += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return { own, children: (Number(fields[13]) + Number(fields[14])) * 10 };
}
