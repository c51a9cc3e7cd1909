/** Words, colours and columns of the page. */
import type { Outcome } from '../../plan/explain/outcome.ts';

export const pageColumns = 100;

export type Paint = (style: Style, text: string) => string;
export type Style = 'strong' | 'dim' | 'good' | 'bad' | 'warn' | 'note';

const codes: Readonly<Record<Style, string>> = {
  strong: '1',
  dim: '2',
  good: '32',
  bad: '31',
  warn: '33',
  note: '36',
};

export function painter(colours: boolean): Paint {
  return (style, text) => (colours && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}

/** `at once`, `601.6 ms`, `3.60 s`. */
export function duration(ms: number): string {
  if (ms === 0) return 'at once';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function span(minMs: number, maxMs: number): string {
  if (maxMs === 0) return 'at once';
  const [from, to] = [duration(minMs), duration(maxMs)];
  if (from === to) return `after ${to}`;
  const unit = / m?s$/;
  const plain = unit.exec(from)?.[0] === unit.exec(to)?.[0] ? from.replace(unit, '') : from;
  return minMs === 0 ? `within ${to}` : `after ${plain} to ${to}`;
}

/** `lb1, lb2 and lb3`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Who is active and after how long, in one cell. */
export function describeOutcome(outcome: Outcome, paint: Paint): string {
  const { active, instead, changed, deadHolder, maxMs } = outcome;
  if (active.length === 0) return paint('bad', 'nobody');
  if (active.length > 1)
    return paint('bad', `${listed(active)} at the same time${changed && maxMs > 0 ? `, ${spans(outcome)}` : ''}`);
  const who = [...active, ...instead].join(' or ');
  const dead = deadHolder ? paint('bad', ' in front of a dead balancer') : '';
  if (!changed) return deadHolder ? `${paint('bad', `stays ${who}`)}${dead}` : paint('dim', `stays ${who}`);
  return `${paint('strong', who)} ${spans(outcome)}${dead}`;
}

/** What a pair with a Keepalived in it lacks: sessions between the nodes. */
const unwatched = 'beside a Keepalived';

function spans({ minMs, maxMs, watched }: Outcome): string {
  const plain = span(minMs, maxMs);
  return watched === undefined ? plain : `${span(watched.minMs, watched.maxMs)}; ${unwatched} ${plain}`;
}

/** How the times come about; empty where nothing has to be waited for. */
export function formulaOf({ maxMs, formula, watched }: Outcome): string {
  const plain = maxMs === 0 ? '' : formula;
  return watched === undefined ? plain : `${watched.formula}; ${unwatched}: ${plain}`;
}

/** Breaks at spaces. Colours don't count. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && visibleLength(line) + 1 + visibleLength(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Without its colours. */
export function visibleLength(text: string): number {
  return [...text.replace(/\x1b\[[0-9;]*m/g, '')].length;
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - visibleLength(text)));
}

/** Narrower no column gets; a word in it is longer rarely. */
const columnMin = 8;

/** Rows of cells under a head, in at most `columns`: the widest ones are wrapped. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  columns = pageColumns - 4,
): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => visibleLength(row[column] ?? ''))));
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > columns && Math.max(...widths) > columnMin) widths[widths.indexOf(Math.max(...widths))]!--;
  const lines = (row: readonly string[]) => {
    const cells = row.map((cell, column) => wrap(cell, widths[column]!));
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, index) =>
      cells
        .map((cell, column) => pad(cell[index] ?? '', widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  };
  return [...lines(head).map((line) => paint('dim', line)), ...rows.flatMap(lines)];
}
