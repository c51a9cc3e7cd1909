/**
 * Text that remembers where it was written. Substitution and repetition move text about; a diagnostic must still point at the
 * file, line and column that a person can open. Text that was put in for `$NAME` points at `$NAME`.
 */

import type { Place } from '../diagnostic.ts';

export interface PlacedText {
  readonly text: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The column (from 1) of each character; undefined where character i stands in column i + 1 still. */
  readonly columns: readonly number[] | undefined;
}

/** One word after quotes and escapes are taken away. */
export interface Word {
  readonly text: string;
  readonly place: Place;
  /** Whether any part of it was written in quotes: keepalived takes a quoted `{` for text. */
  readonly quoted: boolean;
}

export function columnOf(source: PlacedText, index: number): number {
  return source.columns === undefined ? index + 1 : (source.columns[index] ?? (source.columns.at(-1) ?? 0) + 1);
}

export function placeOf(source: PlacedText, start = 0, end = source.text.length): Place {
  const column = columnOf(source, start);
  const last = columnOf(source, Math.max(start, end - 1));
  return { file: source.file, line: source.line, column, length: end > start ? Math.max(1, last - column + 1) : 0 };
}

export function slicePlaced(source: PlacedText, start: number, end = source.text.length): PlacedText {
  const text = source.text.slice(start, end);
  if (source.columns === undefined && start === 0) return { ...source, text };
  return {
    ...source,
    text,
    columns: Array.from({ length: text.length }, (_, index) => columnOf(source, start + index)),
  };
}

/** `source` with the characters from start to end replaced by `put`, which takes the place of the first of them. */
export function replacePlaced(source: PlacedText, start: number, end: number, put: string): PlacedText {
  const text = source.text.slice(0, start) + put + source.text.slice(end);
  const at = columnOf(source, start);
  const columns: number[] = [];
  for (let index = 0; index < start; index++) columns.push(columnOf(source, index));
  for (let index = 0; index < put.length; index++) columns.push(at);
  for (let index = end; index < source.text.length; index++) columns.push(columnOf(source, index));
  return { ...source, text, columns };
}
