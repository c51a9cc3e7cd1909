/**
 * Which includes must find something: the variants of `include`, and `include_check` for all that follow it in its file and in what that
 * one includes (keepalived.conf(5), "include" and include_check). What fails a check is an alert, what fails none that is on a warning.
 */

import type { Diagnostic, Place } from '../diagnostic.ts';
import { type PlacedText, placeOf } from './placed-text.ts';
import type { SourceFile, UnreadableFile } from './source.ts';

const checkNames = ['readable', 'match', 'wildcard_match', 'brace_match'] as const;
export type IncludeCheck = (typeof checkNames)[number];
export type IncludeChecks = ReadonlySet<IncludeCheck>;

const all: IncludeChecks = new Set(checkNames);

export const variants: Readonly<Record<string, IncludeChecks>> = {
  include: new Set(),
  includer: new Set(['readable']),
  includem: new Set(['match']),
  includew: new Set(['wildcard_match']),
  includeb: new Set(['brace_match']),
  includea: all,
};

/** `include_check [[+|-]OPTION …]`: without a sign just these, after `+` these too, after `-` the others only; alone all. */
export function readIncludeCheck(line: PlacedText, before: IncludeChecks, diagnostics: Diagnostic[]): IncludeChecks {
  const options = line.text.split(/\s+/).slice(1);
  if (options.length === 0) return all;
  const checks = new Set(/^[+-]/.test(options[0]!) ? before : []);
  let removes = false;
  for (const option of options) {
    if (/^[+-]/.test(option)) removes = option.startsWith('-');
    const name = checkNames.find((each) => each === option.replace(/^[+-]/, ''));
    if (name === undefined && !/^[+-]$/.test(option))
      diagnostics.push({
        severity: 'warning',
        code: 'bad-value',
        place: placeOf(line),
        message: `include_check: '${option}' is none of ${checkNames.join(', ')}: it is left out`,
      });
    else if (name !== undefined && removes) checks.delete(name);
    else if (name !== undefined) checks.add(name);
  }
  return checks;
}

export interface Included {
  readonly word: string;
  readonly pattern: string;
  readonly place: Place;
  readonly checks: IncludeChecks;
  readonly found: readonly (SourceFile | UnreadableFile)[];
  /** What another pattern finds. */
  readonly find: (pattern: string) => readonly (SourceFile | UnreadableFile)[];
}

export function judgeIncluded(
  { word, pattern, place, checks, found, find }: Included,
  diagnostics: Diagnostic[],
): void {
  const tell = (isWrong: boolean, message: string) =>
    diagnostics.push({ severity: isWrong ? 'alert' : 'warning', code: 'unreadable-file', place, message });
  // Each check but this one stands for it as well.
  for (const file of found)
    if ('problem' in file) tell(checks.size > 0, `${word}: '${file.path}' cannot be read: ${file.problem}`);
  const isWildcard = /[*?[]/.test(pattern);
  if (found.length === 0)
    tell(
      checks.has('wildcard_match') || (checks.has('match') && !isWildcard),
      `${word}: no readable file matches '${pattern}'`,
    );
  for (const part of expandBraces(pattern))
    if (part !== pattern && !/[*?[]/.test(part) && found.length > 0 && find(part).length === 0)
      tell(checks.has('brace_match'), `${word}: there is no '${part}', which '${pattern}' names`);
}

/** As many as a person would write; who needs more writes a wildcard. */
const expansionsMax = 1_000;

/** csh's: `{a,b{c,d}}e` is ae, bce and bde. The pattern itself where it has no braces, or too many. */
export function expandBraces(pattern: string): readonly string[] {
  const expanded: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // Innermost first: it holds no brace.
    const brace = /\{([^{}]*,[^{}]*)\}/.exec(next);
    if (brace === null) expanded.push(next);
    else
      for (const part of brace[1]!.split(',').toReversed())
        open.push(next.slice(0, brace.index) + part + next.slice(brace.index + brace[0].length));
    if (expanded.length + open.length > expansionsMax) return [pattern];
  }
  return [...new Set(expanded)];
}
