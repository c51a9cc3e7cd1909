/** docs/keywords-keepalived.md from the keyword table: what Evergate does with each word of keepalived.conf. */

import { blockNames, describeShape, type Keyword, keywordsOf } from './keywords.ts';

const introduction = `# The words of keepalived.conf

Made from the table that the parser uses (\`src/config/keepalived/keywords.ts\`); do not edit by hand.

A word marked **refused** is an error at its line that says what to do instead. A word marked **no effect** is accepted with a notice:
it changes nothing here. Any other word that is not in these tables is unknown, as it is to Keepalived. Words without a version are
those of Keepalived 2.2.7; the tables have every word for VRRP, BFD and tracking of its manual and parsers up to 2.4.1
(\`test/keywords-keepalived-manual.test.ts\`).

[Lines that are read first](#lines-that-are-read-first) and [where 2.2.7 and 2.3 differ](#where-keepalived-227-and-23-differ) are at the end.
`;

const readFirst = `
## Lines that are read first

| line | what it does |
|--|--|
| \`include PATTERN\` | reads the files; csh's braces and wildcards. Nothing found is a warning |
| \`includer\` \`includem\` \`includew\` \`includeb\` \`includea\` | the same with a check, whose failure is an error: what is found can be read (also with each of the others); without a wildcard something is found; something is found; each alternative in braces is found; all of these |
| \`include_check …\` in global_defs | the same checks for every include that follows |
| \`@ID line\` \`@^ID line\` | the line counts where the configuration id (\`-i\`, else the host's name) is, or is not, that |
| \`$NAME=value\` | \`$NAME\` before a blank and \`\${NAME}\` stand for it from then on; several lines with \`\\\` at their ends |
| \`~SEQ(…)\` \`~SEQx(…)\` \`~LST(…)\` | the rest of the line once for each value |
| \`\${_PWD}\` \`\${_INSTANCE}\` \`\${_HASH}\` \`\${_BANG}\` \`\${_RANDOM [MIN [MAX]]}\` | folder of this file; configuration id; \`#\`; \`!\`; a number |
| \`\${_ENV NAME}\` (Keepalived 2.4.0) | environment variable; an error where it is not set |

## Where Keepalived 2.2.7 and 2.3 differ

The same file means something else to them in these places. Evergate does the one in **bold**.

| where | 2.2.7 | 2.3 and later |
|--|--|--|
| \`interval\`, \`timeout\` of vrrp_script | whole seconds | **fractions of a second (2.3.2)** |
| \`vrrp_strict off\`, \`vrrp_skip_check_adv_addr off\` | on: what follows is not read | **off (2.3.0)** |
| advertisement with another address list | dropped, so that there are two MASTERs | **taken, and logged (2.3.3)** |
| strict mode with priority 255 | hears advertisements | **discards them (2.3.3)** |
| interface_up_down_delays | both delays are shortened to less than two advertisement intervals | **the down delay is (2.3.3)** |
| a peer that unicast_peer names twice | gets every advertisement twice | **counts once (2.3.3)** |
| interface group of the macvlan of \`use_vmac\` | default | **that of the interface below (2.3.0)** |
| \`\\xNNN…\` in strings | all hexadecimal digits are taken | **two digits are (2.3.2)** |
| a route without \`dev\` that somebody removes | **stays away; said when the file is read** | is put back (2.3.2) |
| two routers with priority 255 that hear each other | **the higher address stays MASTER** | the lower one's priority becomes 254 until the other is gone (2.3.3) |
| supplementary groups of scripts | none | **those of the user where \`set_supplementary_groups\` or a colon before the group asks for them** |
`;

export function keywordsDocument(): string {
  return `${introduction}${blockNames.map(section).join('')}${readFirst}`;
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
