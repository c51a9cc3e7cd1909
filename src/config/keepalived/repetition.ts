/**
 * `~SEQ(var, start, step, end) rest` and `~LST(var, value, …) rest`: the rest of the line once for each value
 * (keepalived.conf(5), "Sequence blocks", "List blocks").
 */

import type { Diagnostic } from '../diagnostic.ts';
import { type PlacedText, placeOf, slicePlaced } from './placed-text.ts';

export interface RepeatedLine {
  readonly line: PlacedText;
  readonly set: ReadonlyMap<string, string>;
}

/** As many repetitions as one line may ask for: the manual's largest has 254 on each of three levels. */
const repetitionsMax = 65_536;

/** Empty, with a diagnostic, when the line's head can't be read. */
export function expandRepetition(line: PlacedText, diagnostics: Diagnostic[]): RepeatedLine[] {
  const head = /^~(SEQx?|LST)\s*\(([^)]*)\)\s*/.exec(line.text);
  const rows =
    head === null ? undefined : head[1] === 'LST' ? listRows(head[2]!) : sequenceRows(head[2]!, head[1] === 'SEQx');
  if (head === null || rows === undefined) {
    diagnostics.push({
      severity: 'alert',
      code: 'syntax',
      place: placeOf(line),
      message: 'the repetition at the start of this line cannot be read',
      hint: `write ~SEQ(NAME, [start, [step,]] end) rest, or ~LST(NAME, value, …) rest; at most ${repetitionsMax} repetitions`,
    });
    return [];
  }
  const rest = slicePlaced(line, head[0].length);
  return rows.map((set) => ({ line: rest, set }));
}

const variable = /^[A-Za-z_][A-Za-z0-9_]*$/;

function sequenceRows(text: string, hexadecimal: boolean): Map<string, string>[] | undefined {
  const [name, ...numbers] = text.split(',').map((part) => part.trim());
  if (name === undefined || !variable.test(name) || numbers.length < 1 || numbers.length > 3) return undefined;
  if (!numbers.every((part) => /^-?(0x[0-9a-fA-F]{1,8}|\d{1,9})$/.test(part))) return undefined;
  const values = numbers.map((part) => (part.startsWith('-') ? -Number(part.slice(1)) : Number(part)));
  const end = values.at(-1)!;
  const start = values.length > 1 ? values[0]! : end < 0 ? -1 : 1;
  const step = values.length === 3 ? values[1]! : end < start ? -1 : 1;
  if (step === 0 || Math.abs(end - start) / Math.abs(step) > repetitionsMax) return undefined;
  const rows: Map<string, string>[] = [];
  for (let value = start; step > 0 ? value <= end : value >= end; value += step)
    rows.push(new Map([[name, hexadecimal ? value.toString(16) : String(value)]]));
  return rows;
}

function listRows(text: string): Map<string, string>[] | undefined {
  const [head, ...values] = splitList(text);
  if (head === undefined || values.length === 0 || values.length > repetitionsMax) return undefined;
  const names = items(head);
  if (!names.every((name) => variable.test(name))) return undefined;
  const rows: Map<string, string>[] = [];
  for (const value of values) {
    const parts = names.length === 1 && !head.startsWith('{') ? [value] : items(value);
    if (parts.length !== names.length) return undefined;
    rows.push(new Map(names.map((name, index) => [name, parts[index]!])));
  }
  return rows;
}

/** Splits at commas outside braces. */
function splitList(text: string): string[] {
  return (text.match(/\{[^}]*\}|[^,{}]+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

function items(text: string): string[] {
  return text
    .replace(/^\{(.*)\}$/, '$1')
    .split(',')
    .map((part) => part.trim());
}
