/** Small parts of what is shown: ages, counts, painted cells and tables. */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** `0.3 s`, `12 s`, `4 min 3 s`, `3 h 20 min`, `12 d 4 h`. */
export function age(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (minutes < 1) return `${seconds} s`;
  if (hours < 1) return `${minutes} min ${seconds % 60} s`;
  return days < 1 ? `${hours} h ${minutes % 60} min` : `${days} d ${hours % 24} h`;
}

/** 1234567 → `1,234,567`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 1536 → `1.5 KiB`. */
export function bytes(value: number): string {
  let scaled = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (scaled < 1024) return `${unit === 'B' || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${unit}`;
    scaled /= 1024;
  }
  return `${scaled.toFixed(1)} TiB`;
}

/** `1 time`, `3 times`. */
export function times(value: number): string {
  return value === 1 ? '1 time' : `${count(value)} times`;
}

export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** Columns as wide as their widest cell; all but the first `left` ones to the right. */
export function table(rows: readonly (readonly Cell[])[], left: number, paint: Paint): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.text.length ?? 0)));
  return rows.map((row) =>
    row
      .map(({ text, style }, i) => {
        const padded = i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]);
        return style === undefined ? padded : paint(style, padded);
      })
      .join('  ')
      .trimEnd(),
  );
}
