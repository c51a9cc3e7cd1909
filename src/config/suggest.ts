/**
 * Near misses: which known word was probably meant. One edit distance for both configuration languages.
 */

/** Words longer than this are never typing slips of a keyword; the bound also keeps the cost of hostile input small. */
const lengthMax = 64;

/**
 * The known word nearest to `word`, or undefined when none is near enough to be a slip: one edit for words of up to
 * 4 characters, two up to 8, three beyond. Swapped neighbours count as one edit; case is free. On a tie the first wins.
 */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length < 2 || word.length > lengthMax) return undefined;
  const wanted = word.toLowerCase();
  const allowed = word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of known) {
    if (candidate.length > lengthMax || Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
