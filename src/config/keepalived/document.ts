/** docs/keywords-keepalived.md from the keyword table: what Evergate does with each word of keepalived.conf. */

import { blockNames, describeShape, type Keyword, keywordsOf } from './keywords.ts';

const introduction = `# The words of keepalived.conf

Made from the table that the parser uses (\`src/config/keepalived/keywords.ts\`); do not edit by hand.

A word marked **refused** is an error at its line that says what to do instead. A word marked **no effect** is accepted with a notice:
it changes nothing here. Any other word that is not in these tables is unknown, as it is to Keepalived. Words without a version are
those of Keepalived 2.2.7.
`;

export function keywordsDocument(): string {
  return `${introduction}${blockNames.map(section).join('')}`;
}

function section(block: (typeof blockNames)[number]): string {
  const rows = keywordsOf(block).map(row).join('');
  return `\n## ${block}\n\n| word | what follows | default | meaning |\n|--|--|--|--|\n${rows}`;
}

function row(keyword: Keyword): string {
  const since =
    keyword.since === undefined
      ? ''
      : keyword.since === 'Evergate'
        ? " (Evergate's own)"
        : ` (Keepalived ${keyword.since})`;
  const support = keyword.support === 'supported' ? '' : `**${keyword.support}**: ${keyword.instead}. `;
  const follows = describeShape(keyword.shape);
  const cells = [
    `\`${keyword.word}\`${since}`,
    keyword.support === 'supported' && follows !== '' ? `\`${follows}\`` : '',
    keyword.default,
    `${support}${keyword.meaning}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
