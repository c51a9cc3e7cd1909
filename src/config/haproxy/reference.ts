/** The keyword table as a page for people: `docs/keywords-haproxy.md`. A test keeps the page equal to the table. */
import type { ArgumentKeyword, Keyword } from './keyword.ts';
import { bindKeywords } from './keywords-bind.ts';
import { laterSections } from './keywords-later.ts';
import { serverKeywords } from './keywords-server.ts';
import { globalTable, proxyTable, resolversTable } from './table.ts';

type AnyKeyword = Omit<Keyword<never>, 'read'>;
type AnyArgument = Omit<ArgumentKeyword<never>, 'read'>;

export function keywordReference(): string {
  return [
    '# HAProxy keywords',
    '',
    '<!-- Written by the keyword table (src/config/haproxy): EVERGATE_GOLDEN=write node test/run.ts keywords-haproxy -->',
    '',
    'What `evergate` understands of HAProxy 2.6\'s language. A word under "not yet" is known and refused with an error that says so;',
    'a word in no list is unknown. A version in parentheses: HAProxy has the word since then.',
    '',
    ...family('global', [...globalTable.rows()], false),
    ...family('defaults, frontend, backend, listen', [...proxyTable.rows()], true),
    ...family('resolvers', [...resolversTable.rows()], false),
    ...argumentsOf('bind', bindKeywords),
    ...argumentsOf('server, server-template, default-server', serverKeywords),
    '## Sections not yet supported',
    '',
    `${Object.entries(laterSections)
      .map(([name, meaning]) => `\`${name}\` (${meaning})`)
      .join(', ')}`,
    '',
  ].join('\n');
}

function family(title: string, rows: readonly AnyKeyword[], withSections: boolean): string[] {
  const columns = withSections
    ? ['Keyword', 'Arguments', 'Sections', 'Default', 'Meaning']
    : ['Keyword', 'Arguments', 'Default', 'Meaning'];
  const lines = rows
    .filter((row) => row.support.kind === 'yes')
    .map((row) => [
      `\`${row.negatable === true ? '[no] ' : ''}${row.word}\``,
      code(row.arguments),
      ...(withSections ? [row.sections.join(', ')] : []),
      cell(row.default ?? ''),
      cell(row.meaning),
    ]);
  return [`## ${title}`, '', ...table(columns, lines), '', ...laterParagraph(rows), ...removedParagraph(rows)];
}

function argumentsOf(title: string, rows: readonly AnyArgument[]): string[] {
  const lines = rows
    .filter((row) => row.support.kind === 'yes')
    .map((row) => [`\`${row.word}\``, code(row.arguments), cell(row.default ?? ''), cell(row.meaning)]);
  return [
    `## Arguments of ${title}`,
    '',
    ...table(['Argument', 'Value', 'Default', 'Meaning'], lines),
    '',
    ...laterParagraph(rows),
  ];
}

function laterParagraph(rows: readonly Pick<AnyKeyword, 'word' | 'support' | 'since'>[]): string[] {
  const words = rows
    .filter((row) => row.support.kind === 'not-yet')
    .map((row) => `\`${row.word}\`${row.since === undefined ? '' : ` (${row.since})`}`)
    .sort();
  return words.length === 0 ? [] : [`Not yet: ${words.join(', ')}`, ''];
}

function removedParagraph(rows: readonly AnyKeyword[]): string[] {
  const words = rows.flatMap(({ word, support }) =>
    support.kind === 'removed'
      ? [`- \`${word}\`${support.version === undefined ? '' : ` (since ${support.version})`}: ${support.instead}`]
      : [],
  );
  return words.length === 0 ? [] : ['Given up by HAProxy:', '', ...words, ''];
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
