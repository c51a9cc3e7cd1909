/**
 * keepalived.conf's text into KeepalivedConfig, with everything that is wrong with it.
 *
 * Lines (source.ts) → statements (blocks.ts) → entries checked by the keyword table (keywords.ts). What Keepalived ignores with a
 * message (a number out of range) is a warning that says what holds instead; what it doesn't know or we don't do is an alert.
 */

import type { Diagnostic, DiagnosticCode, Place, Severity } from '../diagnostic.ts';
import { suggest } from '../suggest.ts';
import { readBlocks, type Statement } from './blocks.ts';
import type { Entry, KeepalivedConfig } from './config.ts';
import { type BlockName, blocksWith, findKeyword, type Keyword, keywordsOf } from './keywords.ts';
import type { Word } from './placed-text.ts';
import { type KeepalivedEnvironment, readLines, type SourceFile } from './source.ts';
import { readValue } from './values.ts';

/** @param files in the order in which they were given; several are read as one. Never throws. */
export function parseKeepalived(
  files: readonly SourceFile[],
  environment: KeepalivedEnvironment,
): { readonly config: KeepalivedConfig; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const statements = readBlocks(readLines(files, environment, diagnostics), diagnostics);
  const entries = checkBlock('top level', statements, diagnostics);
  return { config: { entries }, diagnostics: firstOf(diagnostics) };
}

/** Nobody reads more; a file that is no configuration at all would give one a line. */
const diagnosticsMax = 1000;

/** The first ones, with an alert among them if there is one at all. */
function firstOf(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= diagnosticsMax) return diagnostics;
  const first = diagnostics.slice(0, diagnosticsMax - 1);
  const alert = diagnostics.slice(diagnosticsMax - 1).find((diagnostic) => diagnostic.severity === 'alert');
  return alert === undefined ? first : [...first, alert];
}

function checkBlock(block: BlockName, statements: readonly Statement[], diagnostics: Diagnostic[]): Entry[] {
  const entries: Entry[] = [];
  for (const statement of statements) {
    const entry = checkStatement(block, statement, diagnostics);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function checkStatement(block: BlockName, statement: Statement, diagnostics: Diagnostic[]): Entry | undefined {
  const [word, ...rest] = statement.words;
  if (word === undefined) return undefined;
  const keyword = findKeyword(block, word.text);
  if (keyword === undefined) {
    diagnostics.push(unknown(block, word));
    return undefined;
  }
  if (keyword.support === 'refused') {
    diagnostics.push(
      diagnose(
        'alert',
        'unsupported-word',
        word.place,
        `'${word.text}' (${keyword.meaning}) is not supported`,
        keyword.instead,
      ),
    );
    return undefined;
  }
  if (keyword.support === 'no effect') {
    // Keepalived complains of a number out of range, whatever it does with good ones.
    if (keyword.shape.kind === 'integer' && readValue(keyword, word, rest, diagnostics) === undefined) return undefined;
    diagnostics.push(diagnose('notice', 'ignored', word.place, `'${word.text}' has no effect: ${keyword.instead}`));
    return undefined;
  }
  return checkShape(block, keyword, word, rest, statement.block, diagnostics);
}

function checkShape(
  block: BlockName,
  keyword: Keyword,
  word: Word,
  rest: readonly Word[],
  inner: readonly Statement[] | undefined,
  diagnostics: Diagnostic[],
): Entry | undefined {
  const { shape } = keyword;
  const entry = { keyword, block, place: word.place, arguments: rest, value: undefined, entries: [], lines: [] };
  if (shape.kind !== 'block' && shape.kind !== 'list') {
    if (inner !== undefined) {
      diagnostics.push(diagnose('alert', 'syntax', word.place, `'${word.text}' takes no block in braces`));
      return undefined;
    }
    const value = readValue(keyword, word, rest, diagnostics);
    return value === undefined ? undefined : { ...entry, value: value.value };
  }
  if (inner === undefined) {
    diagnostics.push(diagnose('alert', 'incomplete', word.place, `'${word.text}' needs a block in braces`));
    return undefined;
  }
  const named = shape.kind === 'block' && shape.name === 'required';
  if (named && rest.length === 0) {
    diagnostics.push(diagnose('alert', 'missing-argument', word.place, `'${word.text}' needs a name`));
    return undefined;
  }
  const extra = rest[named ? 1 : 0];
  if (extra !== undefined)
    diagnostics.push(
      diagnose('warning', 'extra-argument', extra.place, `'${extra.text}' after '${word.text}' is ignored`),
    );
  if (shape.kind === 'block') return { ...entry, entries: checkBlock(shape.block, inner, diagnostics) };
  return { ...entry, lines: listLines(word, inner, diagnostics) };
}

function listLines(word: Word, inner: readonly Statement[], diagnostics: Diagnostic[]): (readonly Word[])[] {
  for (const line of inner)
    if (line.block !== undefined && line.words[0] !== undefined)
      diagnostics.push(
        diagnose('alert', 'syntax', line.words[0].place, `no block in braces may stand in '${word.text}'`),
      );
  return inner.map((line) => line.words).filter((words) => words.length > 0);
}

function unknown(block: BlockName, word: Word): Diagnostic {
  const where = block === 'top level' ? 'at the top level' : `in ${block}`;
  // Most words of vrrp_instance stand in global_defs as vrrp_…, and the other way round.
  const twin = word.text.startsWith('vrrp_') ? word.text.slice('vrrp_'.length) : `vrrp_${word.text}`;
  const elsewhere = blocksWith(word.text);
  if (findKeyword(block, twin) === undefined && elsewhere.length > 0)
    return diagnose(
      'alert',
      'wrong-section',
      word.place,
      `'${word.text}' does not belong ${where}`,
      `it stands ${elsewhere.map((name) => (name === 'top level' ? 'at the top level' : `in ${name}`)).join(', or ')}; is a brace missing above?`,
    );
  const near =
    findKeyword(block, twin)?.word ??
    suggest(
      word.text,
      keywordsOf(block).map((keyword) => keyword.word),
    );
  const known = near === undefined ? undefined : findKeyword(block, near)!;
  return diagnose(
    'alert',
    elsewhere.length > 0 ? 'wrong-section' : 'unknown-word',
    word.place,
    elsewhere.length > 0 ? `'${word.text}' does not belong ${where}` : `unknown word '${word.text}' ${where}`,
    known === undefined
      ? undefined
      : `did you mean '${near}'?${known.support === 'supported' ? '' : ` That is not supported: ${known.instead}`}`,
  );
}

export function diagnose(
  severity: Severity,
  code: DiagnosticCode,
  place: Place,
  message: string,
  hint?: string,
): Diagnostic {
  return { severity, code, place, message, ...(hint === undefined ? {} : { hint }) };
}
