/** The ways in which a line is refused before its own row of the table reads it: unknown, not supported yet, out of place. */
import type { DiagnosticCode, Place } from '../diagnostic.ts';
import { suggest } from '../suggest.ts';
import type { Keyword, KeywordTable, SectionKind } from './keyword.ts';
import { laterSections } from './keywords-later.ts';
import type { Word } from './lexer.ts';
import { bareSecondWord, secondWords } from './second-words.ts';
import { Refusal, type Statement } from './statement.ts';

export const sectionNames = [
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'resolvers',
  ...Object.keys(laterSections),
];

export function refusal(code: DiagnosticCode, place: Place, message: string, hint?: string): Refusal {
  return new Refusal({ severity: 'alert', code, place, message, ...(hint === undefined ? {} : { hint }) });
}

export function unexpected(section: string, word: Word): Refusal {
  return refusal('extra-argument', word.place, `'${section}' cannot handle unexpected argument '${word.text}'.`);
}

/** `option xyz`: the second word is the unknown one; otherwise the first. */
export function unknownWord<Target>(
  table: KeywordTable<Target>,
  section: SectionKind,
  first: Word,
  second: Word | undefined,
): Refusal {
  const family = table.family(first.text);
  if (family !== undefined && second !== undefined)
    return refusal(
      'unknown-word',
      second.place,
      `unknown ${first.text} '${second.text}'.`,
      nearMiss(second.text, family),
    );
  if (family !== undefined)
    return refusal('missing-argument', first.place, `'${first.text}' expects one more word, such as '${family[0]}'.`);
  const known = [...table.rows()].filter((row) => row.sections.includes(section)).map((row) => row.word.split(' ')[0]!);
  return refusal(
    'unknown-word',
    first.place,
    `unknown keyword '${first.text}' in '${section}' section.`,
    nearMiss(first.text, [...new Set([...known, ...sectionNames])]),
  );
}

/** `http-request set-header …`: one row for the family, but the message names the very action, and an unknown one is told apart. */
export function notSupportedYet<Target>(row: Keyword<Target>, statement: Statement, second: Word | undefined): Refusal {
  const family = secondWords.get(row.word);
  const action = family === undefined || second === undefined ? undefined : bareSecondWord(second.text);
  if (action !== undefined && !family!.includes(action) && !action.startsWith('lua.'))
    return refusal('unknown-word', second!.place, `unknown ${row.word} '${action}'.`, nearMiss(action, family!));
  const word = action === undefined ? row.word : `${row.word} ${action}`;
  const since = row.since === undefined ? '' : `; HAProxy has it since ${row.since}`;
  const instead = row.support.kind === 'not-yet' ? row.support.instead : undefined;
  return refusal(
    'unsupported-word',
    statement.place,
    `'${word}' is not supported yet (${row.meaning}${since}).`,
    instead,
  );
}

export function nearMiss(word: string, known: Iterable<string>): string | undefined {
  const near = suggest(word, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

export function placeName(place: Place): string {
  return `${place.file}:${place.line}`;
}
