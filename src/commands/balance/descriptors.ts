/** How many connections the process's file descriptors allow, and `ulimit-n` (manual 3.1 maxconn, ulimit-n). */
import { descriptorsMax, setDescriptorsMax } from '../../adapters/process-limits.ts';
import type { BalancerPlan } from '../../plan/balancer.ts';

/** What is open besides connections: files, rings, event loops, log sockets, and what a thread needs of its own. */
const descriptorsOwn = 64;
const descriptorsOfThread = 16;

/**
 * Sets `ulimit-n`, and fills in `maxconn` where the file says nothing: as many as there are descriptors for both sides of each, so that a
 * crowd of clients can't take what is needed to reach the servers. As HAProxy, but for -1 of rounding.
 * @param warn told what can't be had.
 */
export function withinDescriptors(plan: BalancerPlan, warn: (text: string) => void): BalancerPlan {
  const { maxconn, ulimitN, nbthread } = plan.global;
  if (ulimitN > 0) {
    const refused = setDescriptorsMax(ulimitN);
    if (refused !== undefined) warn(`ulimit-n ${ulimitN} cannot be set: ${refused}; it is ${descriptorsMax()}`);
  }
  const limit = descriptorsMax();
  if (limit === undefined) return plan;
  const fixed = descriptorsOwn + nbthread * descriptorsOfThread + listenersOf(plan) * (nbthread + 1) + checksOf(plan);
  if (maxconn > 0) {
    const needed = maxconn * 2 + fixed;
    if (needed > limit)
      warn(
        `maxconn ${maxconn} needs ${needed} file descriptors, and ${limit} are allowed; raise 'ulimit-n' or lower 'maxconn'`,
      );
    return plan;
  }
  const allowed = Math.max(1, Math.floor((limit - fixed) / 2));
  return { ...plan, global: { ...plan.global, maxconn: Math.min(allowed, connectionsMax) } };
}

/** Where descriptors have no limit to speak of (containers): memory has one. */
const connectionsMax = 1_000_000;

function listenersOf(plan: BalancerPlan): number {
  return plan.frontends.reduce((sum, { binds }) => sum + binds.length, 0);
}

function checksOf(plan: BalancerPlan): number {
  return plan.backends.reduce((sum, { servers }) => sum + servers.filter(({ check }) => check !== undefined).length, 0);
}
