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
  return minMs === 0 ? `within ${to}` : `after ${from.replace(/ s$/, '')} to ${to}`;
}

/** Who is active and after how long, in one cell. */
export function describeOutcome(outcome: Outcome, paint: Paint): string {
  const { active, instead, changed, deadHolder, minMs, maxMs } = outcome;
  if (active.length === 0) return paint('bad', 'nobody');
  if (active.length > 1)
    return paint('bad', `${active.join(' and ')} both ${changed ? span(minMs, maxMs) : ''}`.trimEnd());
  const who = [...active, ...instead].join(' or ');
  const dead = deadHolder ? paint('bad', ' in front of a dead balancer') : '';
  if (!changed) return deadHolder ? `${paint('bad', `stays ${who}`)}${dead}` : paint('dim', `stays ${who}`);
  return `${paint('strong', who)} ${span(minMs, maxMs)}${dead}`;
}

/** Breaks at spaces; continuation lines get the indent. The first line is expected to start behind `indent` too. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
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

/** Rows of cells under a head, each column as wide as it needs, the first one cut where the page ends. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => visibleLength(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column]!))
      .join('  ')
      .trimEnd();
  return [paint('dim', line(head)), ...rows.map(line)];
}
