/**
 * Every combination of failures on all nodes, and a table of them that people can read: conditions of a node that come to the same are
 * one class, and rows with the same outcome that differ in one node's class only become one row.
 */

import { explainLimits } from '../../core/limits.ts';
import type { VirtualRouter } from './cluster.ts';
import { type Deafness, type Outcome, settle } from './outcome.ts';
import { type Condition, conditionOf, type Failure, failuresOf, type Standing, type World } from './situation.ts';

export interface Combination {
  /** One for each member, in their order. */
  readonly conditions: readonly Condition[];
  readonly outcome: Readonly<Record<World, Outcome>>;
}

export interface Combinations {
  readonly all: readonly Combination[];
  /** What was left out, in words; undefined: nothing. */
  readonly limit: string | undefined;
  /** For each member its classes, the sound one first. */
  readonly classes: readonly (readonly ConditionClass[])[];
  readonly rows: readonly CombinationRow[];
}

/** Conditions of one node that come to the same for the election. */
export interface ConditionClass {
  readonly label: string;
  /** The smallest sets of failures that lead there, in words; empty for the sound one. */
  readonly causes: readonly string[];
  readonly standing: Readonly<Record<World, Standing>>;
}

export interface CombinationRow {
  /** For each member the classes that this row covers, as indexes into its `classes`. */
  readonly classes: readonly (readonly number[])[];
  readonly outcome: Readonly<Record<World, Outcome>>;
  /** The longest of all combinations in this row. */
  readonly maxMs: Readonly<Record<World, number>>;
  readonly count: number;
}

export interface Surroundings {
  readonly router: VirtualRouter;
  readonly normal: readonly Condition[];
  readonly active: Readonly<Record<World, string | undefined>>;
  readonly deafness: Readonly<Record<World, Deafness>>;
}

export function outcomesOf(conditions: readonly Condition[], given: Surroundings): Record<World, Outcome> {
  const of = (world: World) =>
    settle(given.router, conditions, world, given.normal, given.active[world], given.deafness[world]);
  return { evergate: of('evergate'), keepalived: of('keepalived') };
}

export function combine(given: Surroundings): Combinations {
  const { perMember, limit } = conditionsToTry(given);
  const classes = perMember.map(classify);
  const all = product(perMember).map((conditions) => ({ conditions, outcome: outcomesOf(conditions, given) }));
  const rows = mergeRows(
    all.map(({ conditions, outcome }) => ({
      classes: conditions.map((condition, index) => [classOf(condition, classes[index]!)]),
      outcome,
      maxMs: { evergate: outcome.evergate.maxMs, keepalived: outcome.keepalived.maxMs },
      count: 1,
    })),
  );
  return { all, limit, classes: classes.map((each) => each.map(({ described }) => described)), rows };
}

// ------------------------------------------------------------ what to try

function conditionsToTry(given: Surroundings): { perMember: Condition[][]; limit: string | undefined } {
  for (const { failuresMax, limit } of effort) {
    const failures = given.router.members.map(failuresOf);
    if (failuresMax > 2 && failures.some(({ length }) => length > explainLimits.failuresCombinedMax)) continue;
    const sets = failures.map((each) => failureSets(each, failuresMax));
    const total = sets.reduce((count, { length }) => count * length, 1);
    if (total > explainLimits.combinationsMax && failuresMax > 0) continue;
    const perMember = sets.map((each, index) =>
      each.map((set) => (set.length === 0 ? given.normal[index]! : conditionOf(given.router.members[index]!, set))),
    );
    return { perMember, limit };
  }
  return { perMember: [], limit: undefined };
}

const effort = [
  { failuresMax: Infinity, limit: undefined },
  { failuresMax: 2, limit: 'of each node at most two failures at a time' },
  { failuresMax: 1, limit: 'of each node at most one failure at a time' },
  { failuresMax: 0, limit: 'too many nodes and failures to combine: only the table above' },
] as const;

/** A node that is gone can't have other troubles; of the others any set. */
function failureSets(failures: readonly Failure[], max: number): Failure[][] {
  const gone = failures.filter(({ kind }) => kind === 'host' || kind === 'link' || kind === 'stop');
  const rest = failures.filter((failure) => !gone.includes(failure));
  let sets: Failure[][] = [[]];
  for (const failure of rest)
    sets = [...sets, ...sets.filter(({ length }) => length < max).map((set) => [...set, failure])];
  return max === 0 ? [[]] : [...sets, ...gone.map((failure) => [failure])];
}

function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((rows, list) => rows.flatMap((row) => list.map((each) => [...row, each])), [[]]);
}

// ------------------------------------------------------------ classes

interface Classified {
  readonly described: ConditionClass;
  readonly members: readonly Condition[];
}

function classify(conditions: readonly Condition[]): Classified[] {
  const groups = Map.groupBy(conditions, signature);
  return [...groups.values()].map((members) => {
    const fewest = Math.min(...members.map(({ failures }) => failures.length));
    const smallest = members.filter(({ failures }) => failures.length === fewest);
    const causes = fewest === 0 ? [] : smallest.map(({ failures }) => failures.map(({ text }) => text).join(' and '));
    return { members, described: { label: labelOf(smallest), causes, standing: members[0]!.standing } };
  });
}

function classOf(condition: Condition, classes: readonly Classified[]): number {
  return classes.findIndex(({ members }) => members.includes(condition));
}

function signature({ standing }: Condition): string {
  const of = ({ present, serving, tracking, balancerDead }: Standing) =>
    isOut({ present, serving, tracking }) ? 'out' : `${tracking.priority}${balancerDead ? ' dead' : ''}`;
  return `${of(standing.evergate)} ${of(standing.keepalived)}`;
}

export function isOut({ present, serving, tracking }: Pick<Standing, 'present' | 'serving' | 'tracking'>): boolean {
  return !present || !serving || tracking.faults.length > 0 || tracking.pending.length > 0;
}

function labelOf(smallest: readonly Condition[]): string {
  const first = smallest[0]!;
  if (first.failures.length === 0) return 'well';
  if (smallest.some(({ failures }) => failures.some(({ kind }) => kind === 'host'))) return 'out';
  return first.failures
    .map(({ kind, text }) => (kind === 'balancer' ? 'balancer dead' : text.replace(/^\S+ /, '')))
    .join(' + ');
}

// ------------------------------------------------------------ rows

/** Joins rows with the same outcome that differ in one column only, until none can be joined. */
function mergeRows(rows: readonly CombinationRow[]): CombinationRow[] {
  const joined = new Map<string, CombinationRow>();
  for (const row of rows) join(joined, row, JSON.stringify([row.classes, holders(row)]));
  let merged = [...joined.values()];
  for (let before = Infinity; merged.length < before; ) {
    before = merged.length;
    for (let column = (merged[0]?.classes.length ?? 0) - 1; column >= 0; column--) {
      const byRest = new Map<string, CombinationRow>();
      for (const row of merged) join(byRest, row, JSON.stringify([row.classes.with(column, []), holders(row)]));
      merged = [...byRest.values()];
    }
  }
  return merged;
}

function join(rows: Map<string, CombinationRow>, row: CombinationRow, key: string): void {
  const other = rows.get(key);
  if (other === undefined) {
    rows.set(key, row);
    return;
  }
  const later = (world: World) => Math.max(row.maxMs[world], other.maxMs[world]);
  rows.set(key, {
    classes: row.classes.map((each, index) => [...new Set([...other.classes[index]!, ...each])].sort((a, b) => a - b)),
    outcome: other.outcome,
    maxMs: { evergate: later('evergate'), keepalived: later('keepalived') },
    count: row.count + other.count,
  });
}

function holders({ outcome: { evergate, keepalived } }: CombinationRow): string {
  return JSON.stringify([evergate, keepalived].map(({ active, deadHolder }) => [active, deadHolder]));
}
