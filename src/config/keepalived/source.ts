/**
 * Files into the lines that count: `include`s read, `@id` lines kept or dropped, `$NAME=value` definitions taken and put in,
 * `~SEQ` and `~LST` lines repeated (keepalived.conf(5), "include" and "ADVANCED CONFIGURATION").
 *
 * A queue of pending lines: each is looked at, and either emitted or replaced by other lines that are looked at in turn.
 * Substitution happens when a line is used, not when it is defined, as the manual says.
 */

import type { Diagnostic, Place } from '../diagnostic.ts';
import { type IncludeChecks, judgeIncluded, readIncludeCheck, variants } from './include.ts';
import { withoutComment } from './lexer.ts';
import { type PlacedText, placeOf, replacePlaced, slicePlaced } from './placed-text.ts';
import { expandRepetition } from './repetition.ts';

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a pattern names that is no file, or may not be read. */
export interface UnreadableFile {
  readonly path: string;
  readonly problem: string;
}

/** What the files may ask of the world they are read in; given as values and functions so that config stays pure. */
export interface KeepalivedEnvironment {
  /** keepalived's `-i`; by default the first part of the host name. `@id` lines compare with it. */
  readonly configId: string;
  /** What an include's pattern names, sorted; relative patterns are relative to `from`'s folder. */
  readonly readFiles: (pattern: string, from: string) => readonly (SourceFile | UnreadableFile)[];
  /** For `${_RANDOM}`: an integer from min to max. Without it `_RANDOM` is refused. */
  readonly random?: (min: number, max: number) => number;
  /** For `${_ENV NAME}`: undefined where there is no such variable. */
  readonly variable?: (name: string) => string | undefined;
}

/** Reasons for the numbers: the manual's largest example makes 65,024 instances of 16 lines; no one nests includes 16 deep. */
const linesMax = 2_000_000;
const includeDepthMax = 16;
const substitutionsPerLineMax = 1_000;
const lineLengthMax = 1_048_576;

interface Pending {
  readonly line: PlacedText;
  readonly depth: number;
  /** Straight from a file: only then `include` and a `\` at the end mean something. */
  readonly raw: boolean;
  readonly substitutions: number;
  readonly set?: ReadonlyMap<string, string>;
  readonly scope: Scope;
}

/** What `include_check` says, for one file. */
interface Scope {
  checks: IncludeChecks;
}

type Definitions = Map<string, readonly PlacedText[]>;

/** Every line that counts, in order, comments gone. */
export function readLines(
  files: readonly SourceFile[],
  environment: KeepalivedEnvironment,
  diagnostics: Diagnostic[],
): PlacedText[] {
  const lines: PlacedText[] = [];
  const definitions: Definitions = new Map();
  // A stack with the next line last: putting lines in front is then a push.
  const pending: Pending[] = [];
  for (const file of files.toReversed()) pushFile(pending, file, 0, new Set());
  let looked = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (++looked > linesMax) {
      diagnostics.push(endless(placeOf(next.line), `the configuration grows beyond ${linesMax} lines`));
      return lines;
    }
    for (const [name, value] of next.set ?? []) define(definitions, name, value, next.line);
    if (next.substitutions > substitutionsPerLineMax || next.line.text.length > lineLengthMax) {
      diagnostics.push(endless(placeOf(next.line), 'the definitions on this line expand without end'));
      return lines;
    }
    const emitted = look(next, pending, definitions, environment, diagnostics);
    if (emitted !== undefined) lines.push(emitted);
  }
  return lines;
}

function pushFile(pending: Pending[], file: SourceFile, depth: number, checks: IncludeChecks): void {
  const scope: Scope = { checks };
  const texts = file.text.split('\n');
  for (let index = texts.length - 1; index >= 0; index--)
    pending.push({
      line: { text: texts[index]!, file: file.path, line: index + 1, columns: undefined },
      depth,
      raw: true,
      substitutions: 0,
      scope,
    });
}

function look(
  next: Pending,
  pending: Pending[],
  definitions: Definitions,
  environment: KeepalivedEnvironment,
  diagnostics: Diagnostic[],
): PlacedText | undefined {
  const line = trimmed(withoutComment(next.line));
  if (line.text === '') return undefined;

  if (line.text.startsWith('@')) {
    const condition = /^@(\^?)(\S*)\s*/.exec(line.text)!;
    if ((condition[2] === environment.configId) !== (condition[1] === '^'))
      pending.push({ ...next, line: slicePlaced(line, condition[0].length), raw: next.raw });
    else if (next.raw) skipContinuation(line, pending);
    return undefined;
  }

  const include = next.raw ? /^(include[rmwba]?)(?:\s+|$)/.exec(line.text) : null;
  if (include !== null) {
    pushIncluded(next, slicePlaced(line, include[0].length), include[1]!, pending, environment, diagnostics);
    return undefined;
  }

  const definition = /^\$([A-Za-z_][A-Za-z0-9_]*)=/.exec(line.text);
  if (definition !== null) {
    const value = slicePlaced(line, definition[0].length);
    definitions.set(definition[1]!, withContinuation(value, pending));
    return undefined;
  }

  if (/^~(SEQ|LST)/.test(line.text)) {
    const repeated = expandRepetition(line, diagnostics);
    for (const { line: again, set } of repeated.toReversed())
      pending.push({ ...next, line: again, raw: false, set, substitutions: next.substitutions + 1 });
    return undefined;
  }

  const substituted = substitute(line, definitions, environment);
  if (substituted === undefined) {
    if (/^include_check(\s|$)/.test(line.text))
      next.scope.checks = readIncludeCheck(line, next.scope.checks, diagnostics);
    return line;
  }
  for (const again of substituted.toReversed())
    pending.push({ ...next, line: again, raw: false, substitutions: next.substitutions + 1 });
  return undefined;
}

function trimmed(line: PlacedText): PlacedText {
  const start = /^\s*/.exec(line.text)![0].length;
  const end = line.text.trimEnd().length;
  return start === 0 && end === line.text.length ? line : slicePlaced(line, Math.min(start, end), end);
}

/** The lines that belong to the value that starts here: each but the last ends with `\`. The first is left out when empty. */
function withContinuation(first: PlacedText, pending: Pending[]): readonly PlacedText[] {
  const lines: PlacedText[] = [];
  let line = trimmed(first);
  while (line.text.endsWith('\\')) {
    const part = trimmed(slicePlaced(line, 0, line.text.length - 1));
    if (part.text !== '') lines.push(part);
    const following = pending.pop();
    if (following === undefined) return lines;
    line = trimmed(withoutComment(following.line));
  }
  if (line.text !== '' || lines.length === 0) lines.push(line);
  return lines;
}

/** An `@id` line that is dropped takes a multi-line definition's other lines with it. */
function skipContinuation(line: PlacedText, pending: Pending[]): void {
  if (line.text.endsWith('\\')) withContinuation(line, pending);
}

function define(definitions: Definitions, name: string, value: string, at: PlacedText): void {
  definitions.set(name, [{ ...at, text: value, columns: undefined }]);
}

function pushIncluded(
  next: Pending,
  pattern: PlacedText,
  word: string,
  pending: Pending[],
  environment: KeepalivedEnvironment,
  diagnostics: Diagnostic[],
): void {
  const place = placeOf(pattern);
  const name = pattern.text.replace(/^(["'])(.*)\1$/, '$2');
  if (name === '') {
    diagnostics.push({ severity: 'alert', code: 'missing-argument', place, message: `${word} needs a file name` });
    return;
  }
  if (next.depth >= includeDepthMax) {
    diagnostics.push(endless(place, `files include each other more than ${includeDepthMax} deep`));
    return;
  }
  const find = (wanted: string) => environment.readFiles(wanted, next.line.file);
  const found = find(name);
  const checks = new Set([...next.scope.checks, ...variants[word]!]);
  judgeIncluded({ word, pattern: name, place, checks, found, find }, diagnostics);
  for (const file of found.toReversed()) if ('text' in file) pushFile(pending, file, next.depth + 1, next.scope.checks);
}

/**
 * The line with the first `$NAME` or `${NAME}` that is defined replaced; several lines where the value has several.
 * `undefined` when there is none. `$NAME` counts only before a blank or the end, as the manual says.
 */
function substitute(
  line: PlacedText,
  definitions: Definitions,
  environment: KeepalivedEnvironment,
): readonly PlacedText[] | undefined {
  for (const match of line.text.matchAll(
    /\$(?:([A-Za-z_][A-Za-z0-9_]*)(?=\s|$)|\{([A-Za-z_][A-Za-z0-9_]*)((?: +[A-Za-z0-9_]+){0,2})\})/g,
  )) {
    const name = match[1] ?? match[2]!;
    const plain = (match[3] ?? '') === '';
    const value = (plain ? definitions.get(name) : undefined) ?? predefined(name, match[3] ?? '', line, environment);
    if (value === undefined) continue;
    const start = match.index;
    const end = start + match[0].length;
    if (value.length === 1) return [replacePlaced(line, start, end, value[0]!.text)];
    const before = line.text.slice(0, start);
    const after = line.text.slice(end);
    return value.map((part, index) => ({
      ...part,
      text: (index === 0 ? before : '') + part.text + (index === value.length - 1 ? after : ''),
      columns: index === 0 || index === value.length - 1 ? undefined : part.columns,
    }));
  }
  return undefined;
}

function predefined(
  name: string,
  range: string,
  line: PlacedText,
  environment: KeepalivedEnvironment,
): readonly PlacedText[] | undefined {
  const text = predefinedText(name, range, line.file, environment);
  return text === undefined ? undefined : [{ ...line, text, columns: undefined }];
}

function predefinedText(
  name: string,
  range: string,
  file: string,
  environment: KeepalivedEnvironment,
): string | undefined {
  switch (name) {
    case '_PWD':
      return file.includes('/') ? file.slice(0, Math.max(1, file.lastIndexOf('/'))) : '.';
    case '_INSTANCE':
      return environment.configId;
    // Escaped, so that what is put in doesn't start a comment when the line is looked at again.
    case '_HASH':
      return '\\#';
    case '_BANG':
      return '\\!';
    case '_ENV': {
      const value = environment.variable?.(range.trim());
      // A comment it cannot be: those are gone by the time it is put in.
      return value?.replace(/[#!]/g, '\\$&');
    }
    case '_RANDOM': {
      if (!/^[ \d]*$/.test(range)) return undefined;
      const [min = 0, max = 32_767] = range
        .trim()
        .split(/ +/)
        .filter((part) => part !== '')
        .map(Number);
      return environment.random === undefined ? undefined : String(environment.random(min, Math.max(min, max)));
    }
    default:
      return undefined;
  }
}

function endless(place: Place, message: string): Diagnostic {
  return { severity: 'alert', code: 'syntax', place, message };
}
