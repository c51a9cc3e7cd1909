/** Every family of findings, asked in the order in which an operator should read them: the worst news first. */

import type { Place, Severity } from '../../../config/diagnostic.ts';
import type { Cluster } from '../cluster.ts';
import type { Surroundings } from '../combinations.ts';
import { type BalancerFile, findBalancer } from './balancer.ts';
import { findChecks } from './checks.ts';
import type { Finding, FindingContext } from './finding.ts';
import { findHearing } from './hearing.ts';
import { findPriorities, findTornGroups } from './priorities.ts';
import { findAuthentication, findReturning } from './returning.ts';

const families = [findHearing, findTornGroups, findPriorities, findChecks, findReturning, findAuthentication];
const order: Readonly<Record<Severity, number>> = { alert: 0, warning: 1, notice: 2 };

export function findAll(
  cluster: Cluster,
  views: readonly Surroundings[],
  balancer: BalancerFile | undefined,
): readonly Finding[] {
  const context: FindingContext = { cluster, views };
  const found = families.flatMap((family) => family(context));
  if (balancer !== undefined) found.push(...findBalancer(context, balancer));
  return joinSame(found).sort((a, b) => order[a.severity] - order[b.severity]);
}

/** The same in several files, or of several routers, is said once, with all its places. */
export function joinSame(findings: readonly Finding[]): Finding[] {
  const joined = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.finding} ${finding.message}`;
    const other = joined.get(key);
    if (other === undefined) joined.set(key, finding);
    else if (!isKnown(other, finding.place))
      joined.set(key, { ...other, also: [...(other.also ?? []), finding.place] });
  }
  return [...joined.values()];
}

function isKnown({ place, also = [] }: Finding, other: Place): boolean {
  return [place, ...also].some(
    ({ file, line, column }) => file === other.file && line === other.line && column === other.column,
  );
}
