/** From what a world told during a drill to what is judged: bands of states, and predictions with what came of them. Pure. */
import type { Prediction } from './predict.ts';
import type { ProbeRecord } from './prober/outage.ts';
import type { Band, CheckedPrediction } from './verdict.ts';

/** A node's state from `at` on. */
export interface StateChange {
  readonly at: number;
  readonly node: string;
  readonly text: string;
}

/** A prediction with the step that it was made for, before anything is known of it. */
export interface Promised {
  readonly prediction: Prediction;
  readonly step: string;
  readonly started: number;
  readonly mute: readonly string[];
}

/** When each node was in which state. @param changes oldest first */
export function stateBands(
  changes: readonly StateChange[],
  nodes: readonly string[],
  from: number,
  to: number,
): readonly Band[] {
  return nodes.flatMap((node) => {
    const bands: Band[] = [];
    const own = changes.filter((change) => change.node === node && change.at < to);
    for (const [i, { at, text }] of own.entries()) {
      const end = own[i + 1]?.at ?? to;
      if (end > from) bands.push({ node, from: Math.max(from, at), to: end, text });
    }
    return bands;
  });
}

/**
 * A prediction holds when who should be active was, and nobody else but who is expected in the end. What comes out counts from `zero`.
 * @param end of the window, on the clock of the bands
 */
export function checkPredictions(
  promised: readonly Promised[],
  states: readonly Band[],
  zero: number,
  end: number,
): readonly CheckedPrediction[] {
  return promised.map(({ prediction, step, started, mute }, i) => {
    const to = promised[i + 1]?.started ?? end;
    const masters = states.filter(
      (band) => band.text === 'MASTER' && band.to > started && band.from < to && !mute.includes(band.node),
    );
    const entered = masters.filter((band) => band.from >= started || band.to >= to);
    const seen = [...new Set(entered.map(({ node }) => node))].sort();
    const { active, settled, passing = [] } = prediction;
    const held =
      active.every((node) => seen.includes(node)) &&
      seen.every((node) => [...active, ...settled, ...passing].includes(node));
    return { ...prediction, at: started - zero, step, seen, held };
  });
}

export function shifted(record: ProbeRecord, zero: number): ProbeRecord {
  return { ...record, due: record.due - zero, started: record.started - zero, finished: record.finished - zero };
}
