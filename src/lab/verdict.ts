/** What a drill's records say, and whether that is good: pure. All times in milliseconds since the first step. */
import type { Drill } from './drill-file.ts';
import type { Prediction } from './predict.ts';
import {
  isLostBetween,
  longestOutage,
  type Outcome,
  type ProbeRecord,
  type Stall,
  summarise,
} from './prober/outage.ts';

/** A mark on the timeline. */
export interface Mark {
  readonly at: number;
  readonly kind: 'step' | 'state' | 'address' | 'problem';
  readonly node: string;
  readonly text: string;
}

/** A time in which something was so, of one node. `to` is the end of the window where it went on. */
export interface Band {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface CheckedPrediction extends Prediction {
  readonly at: number;
  readonly step: string;
  /** Who became active (or stayed) after this step. */
  readonly seen: readonly string[];
  readonly held: boolean;
}

/** One run of one drill, as it was observed. */
export interface Observation {
  readonly drill: Drill;
  readonly engine: string;
  readonly trial: number;
  /** The window that is judged: a little before the first step until the last step was over. */
  readonly from: number;
  readonly to: number;
  readonly records: readonly ProbeRecord[];
  readonly stalls: readonly Stall[];
  readonly keptClosed: number;
  readonly marks: readonly Mark[];
  readonly states: readonly Band[];
  readonly holdings: readonly Band[];
  readonly predictions: readonly CheckedPrediction[];
  /** Conditions that were waited for in vain. */
  readonly unmet: readonly string[];
  /** What is not as it was, after everything was put right again. */
  readonly unclean: readonly string[];
}

export interface Verdict {
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<Outcome, number>>>;
  /** Connections broken inside an exchange. */
  readonly broken: number;
  /** Kept connections that ended between two requests, which is allowed: closed in time, or lost so that a request was sent in vain. */
  readonly keptClosed: number;
  readonly keptLost: number;
  readonly outageMs: number;
  readonly outageFrom: number | undefined;
  /** How long two nodes or more held the address, and how long none did. */
  readonly bothHeldMs: number;
  readonly noneHeldMs: number;
  /** Longest time that the prober itself did not run. */
  readonly ownDelayMs: number;
  readonly p99Ms: number;
  /** Longest outage that the configuration allows for all steps; undefined: until somebody repairs it. */
  readonly outageMaxMs: number | undefined;
  readonly predictionHeld: boolean;
  readonly clean: boolean;
  readonly passed: boolean;
  /** Why it did not pass. */
  readonly reasons: readonly string[];
}

export interface ServiceLevel {
  readonly outageMs?: number;
  readonly failed?: number;
}

/** What network, scheduling and the observers themselves may add to a predicted time: two scheduler ticks of a busy small machine. */
export const allowanceMs = 150;

export function judge(observation: Observation, slo: ServiceLevel): Verdict {
  const { records, stalls, drill, predictions, holdings, from, to } = observation;
  // What a client sends again by itself, on a connection that works, has not failed (RFC 9112 §9.3.1); it is counted apart.
  const kept = records.filter((record) => !isLostBetween(record));
  const summary = summarise(kept, stalls);
  const outage = longestOutage(kept, stalls);
  const { reset = 0, closed = 0, garbled = 0 } = summary.failures;
  const broken = reset + closed + garbled;
  const outageMaxMs = predictions.reduce<number | undefined>(
    (most, { outageMaxMs: each }) => (most === undefined || each === undefined ? undefined : Math.max(most, each)),
    0,
  );
  const outageMs = summary.outageMs;
  const tooLong = outageMaxMs !== undefined && outageMs > outageMaxMs + allowanceMs + summary.ownDelayMs;
  const unheld = predictions.filter(({ held }) => !held);
  const reasons = [
    ...unheld.map(({ step, active, seen }) => `${step}: ${named(active)} predicted as active, ${named(seen)} seen`),
    ...(tooLong ? [`outage of ${Math.round(outageMs)} ms, predicted at most ${Math.round(outageMaxMs)} ms`] : []),
    ...over('failed requests', summary.failed, least(drill.expect.failed, slo.failed)),
    ...over('connections broken inside an exchange', broken, drill.expect.broken),
    ...over('ms of outage', Math.round(outageMs), least(drill.expect.outageMs, slo.outageMs)),
    ...observation.unmet,
    ...observation.unclean.map((what) => `not clean afterwards: ${what}`),
  ];
  return {
    requests: records.length,
    failed: summary.failed,
    failures: summary.failures,
    broken,
    keptClosed: observation.keptClosed,
    keptLost: records.length - kept.length,
    outageMs,
    outageFrom: outage?.from,
    ...heldTimes(holdings, from, to),
    ownDelayMs: summary.ownDelayMs,
    p99Ms: summary.latencyMs.p99,
    outageMaxMs,
    predictionHeld: unheld.length === 0 && !tooLong,
    clean: observation.unclean.length === 0,
    passed: reasons.length === 0,
    reasons,
  };
}

function over(what: string, seen: number, most: number | undefined): readonly string[] {
  return most !== undefined && seen > most ? [`${seen} ${what}, at most ${most} allowed`] : [];
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function named(nodes: readonly string[]): string {
  return nodes.length === 0 ? 'nobody' : nodes.join(' and ');
}

/** Time with two holders or more, and time with none, within the window. */
export function heldTimes(holdings: readonly Band[], from: number, to: number) {
  const edges = [from, to, ...holdings.flatMap((band) => [band.from, band.to])]
    .filter((at) => at >= from && at <= to)
    .sort((a, b) => a - b);
  let bothHeldMs = 0;
  let noneHeldMs = 0;
  for (const [i, start] of edges.entries()) {
    const end = edges[i + 1] ?? start;
    const middle = (start + end) / 2;
    const holders = holdings.filter((band) => band.from <= middle && band.to > middle).length;
    if (holders > 1) bothHeldMs += end - start;
    if (holders === 0) noneHeldMs += end - start;
  }
  return { bothHeldMs, noneHeldMs };
}

/** A prober that is late by this much saw its own machine, not the service; the figures then say little. */
export const busyMs = 100;

/** Several trials of one drill: the median of each figure, and the worst. */
export interface Summary {
  readonly drill: Drill;
  readonly trials: number;
  readonly passed: number;
  readonly outageMs: Spread;
  readonly failed: Spread;
  readonly broken: Spread;
  readonly keptLost: Spread;
  readonly bothHeldMs: Spread;
  readonly requests: number;
  readonly ownDelayMs: Spread;
  readonly outageMaxMs: number | undefined;
  readonly predictionHeld: boolean;
  readonly clean: boolean;
  readonly reasons: readonly string[];
}

export interface Spread {
  readonly median: number;
  readonly worst: number;
}

/** @param verdicts at least one, all of the same drill. */
export function summariseTrials(drill: Drill, verdicts: readonly Verdict[]): Summary {
  const spread = (figure: (verdict: Verdict) => number): Spread => {
    const values = verdicts.map(figure).sort((a, b) => a - b);
    return { median: median(values), worst: values.at(-1) ?? 0 };
  };
  return {
    drill,
    trials: verdicts.length,
    passed: verdicts.filter(({ passed }) => passed).length,
    outageMs: spread(({ outageMs }) => outageMs),
    failed: spread(({ failed }) => failed),
    broken: spread(({ broken }) => broken),
    keptLost: spread(({ keptLost }) => keptLost),
    bothHeldMs: spread(({ bothHeldMs }) => bothHeldMs),
    requests: spread(({ requests }) => requests).median,
    ownDelayMs: spread(({ ownDelayMs }) => ownDelayMs),
    outageMaxMs: verdicts[0]?.outageMaxMs,
    predictionHeld: verdicts.every(({ predictionHeld }) => predictionHeld),
    clean: verdicts.every(({ clean }) => clean),
    reasons: [...new Set(verdicts.flatMap(({ reasons }) => reasons))],
  };
}

/** @param sorted ascending. */
function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
