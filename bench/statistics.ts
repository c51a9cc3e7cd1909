/** The few numbers that a list of measurements is told by. */

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** @param values at least one. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: sorted[0]!, high: sorted.at(-1)! };
}

/**
 * Ratio of medians. Its spread is that of the ratios within each round, because both were measured next to each other there:
 * what the machine did meanwhile cancels out.
 */
export function ratio(values: readonly number[], reference: readonly number[]): Spread {
  const rounds = values.map((value, round) => value / reference[round]!).sort((a, b) => a - b);
  return { median: spread(values).median / spread(reference).median, low: rounds[0]!, high: rounds.at(-1)! };
}

/** @param sorted ascending, at least one. @param part 0 to 1. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const at = (sorted.length - 1) * part;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (at - below);
}
