/** The arguments of a word by its row's shape: numbers with their ranges, on/off, weights. */

import type { Diagnostic, Place } from '../diagnostic.ts';
import { describeShape, type Keyword } from './keywords.ts';
import type { Word } from './placed-text.ts';

export interface ReadValue {
  readonly value: number | boolean | string | undefined;
}

/**
 * The value, or undefined when the word doesn't count: as in Keepalived a value that can't be used is reported and the word
 * is as if absent.
 */
export function readValue(
  keyword: Keyword,
  word: Word,
  rest: readonly Word[],
  diagnostics: Diagnostic[],
): ReadValue | undefined {
  const { shape } = keyword;
  const first = rest[0];
  const [min, max] = argumentCounts(keyword);
  if (rest.length < min) {
    // Keepalived gives up reading here.
    const message = `'${word.text}' needs ${describeShape(shape)}`;
    diagnostics.push({ severity: 'alert', code: 'missing-argument', place: word.place, message });
    return undefined;
  }
  if (rest.length > max)
    diagnostics.push({
      severity: 'warning',
      code: 'extra-argument',
      place: rest[max]!.place,
      message: `'${rest[max]!.text}' after '${word.text}' is ignored`,
    });
  switch (shape.kind) {
    case 'text':
      return { value: first?.text };
    case 'choice':
      if (first === undefined || shape.values.includes(first.text)) return { value: first?.text };
      diagnostics.push(
        problem('bad-value', first.place, `'${first.text}' is none of ${shape.values.join(', ')}`, keyword),
      );
      return undefined;
    case 'integer':
    case 'decimal': {
      if (first === undefined) return { value: undefined };
      const value = shape.kind === 'integer' ? parseInteger(first.text) : parseDecimal(first.text);
      if (value !== undefined && value >= shape.min && value <= shape.max) return { value };
      const isNear =
        shape.kind === 'integer' ? shape.nearest === true && value !== undefined && value >= 0 : shape.atMost === true;
      if (value !== undefined && isNear && (shape.kind === 'integer' || value > shape.max)) {
        const used = Math.max(shape.min, Math.min(shape.max, value));
        const message = `'${word.text}' goes from ${shape.min} to ${shape.max}: ${used} is used for ${first.text}`;
        diagnostics.push({ severity: 'warning', code: 'bad-value', place: first.place, message });
        return { value: used };
      }
      diagnostics.push(
        problem(
          'bad-value',
          first.place,
          `'${first.text}' is not ${describeNumber(shape.kind, describeShape({ ...shape, optional: false } as never))}`,
          keyword,
        ),
      );
      return undefined;
    }
    case 'weight':
      return readWeight(first!, rest[1], shape, keyword, diagnostics);
    case 'boolean': {
      const value = first === undefined ? true : parseBoolean(first.text);
      if (value !== undefined) return { value };
      diagnostics.push(
        problem('bad-value', first!.place, `'${first!.text}' is none of on, off, true, false, yes, no`, keyword),
      );
      return undefined;
    }
    default:
      return { value: undefined };
  }
}

function readWeight(
  first: Word,
  second: Word | undefined,
  { max, nearest }: { readonly max: number; readonly nearest?: boolean },
  keyword: Keyword,
  diagnostics: Diagnostic[],
): ReadValue | undefined {
  let value = parseInteger(first.text);
  if (value !== undefined && Math.abs(value) > max && nearest === true) {
    value = Math.sign(value) * max;
    const message = `weight goes from -${max} to ${max}: ${value} is used for ${first.text}`;
    diagnostics.push({ severity: 'warning', code: 'bad-value', place: first.place, message });
  }
  if (value === undefined || Math.abs(value) > max) {
    diagnostics.push(
      problem('bad-value', first.place, `'${first.text}' is not a whole number from -${max} to ${max}`, keyword),
    );
    return undefined;
  }
  if (second !== undefined && second.text !== 'reverse' && second.text !== 'noreverse')
    diagnostics.push({
      severity: 'warning',
      code: 'bad-value',
      place: second.place,
      message: `'${second.text}' is neither reverse nor noreverse: ignored`,
    });
  return { value };
}

/** How many words may follow: least and most. */
function argumentCounts(keyword: Keyword): readonly [number, number] {
  const { shape } = keyword;
  switch (shape.kind) {
    case 'none':
      return [0, 0];
    case 'text':
    case 'choice':
    case 'integer':
      return [shape.optional === true ? 0 : 1, 1];
    case 'decimal':
      return [1, 1];
    case 'boolean':
      return [0, 1];
    case 'weight':
      return [1, 2];
    case 'command':
      return [shape.optional === true ? 0 : 1, 3];
    case 'words':
      return [shape.min, shape.max];
    default:
      return [0, Number.POSITIVE_INFINITY];
  }
}

function describeNumber(kind: 'integer' | 'decimal', range: string): string {
  return kind === 'integer' ? `a whole number in ${range}` : `a number in ${range}`;
}

function problem(code: 'bad-value', place: Place, message: string, keyword: Keyword): Diagnostic {
  const instead =
    keyword.default === '' ? `'${keyword.word}' is ignored` : `'${keyword.word}' is ignored: ${keyword.default} holds`;
  return { severity: 'warning', code, place, message: `${message}; ${instead}` };
}

/** Decimal, as Keepalived reads its numbers; undefined when there is more or less. */
export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Decimal, octal with 0 or hexadecimal with 0x, as strtoul(3) reads marks and masks; undefined when there is more or less. */
export function parseAnyBase(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]{1,12}$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]{1,15}$/.test(text)) return Number.parseInt(text, 8);
  return parseInteger(text);
}

/** Digits with at most one point; more than six decimals are rounded to microseconds. */
export function parseDecimal(text: string): number | undefined {
  if (!/^\+?(\d{1,12}(\.\d{0,30})?|\.\d{1,30})$/.test(text)) return undefined;
  return Math.round(Number(text) * 1e6) / 1e6;
}

/** keepalived.conf(5), "PARAMETER SYNTAX". */
export function parseBoolean(text: string): boolean | undefined {
  if (text === 'on' || text === 'true' || text === 'yes') return true;
  if (text === 'off' || text === 'false' || text === 'no') return false;
  return undefined;
}
