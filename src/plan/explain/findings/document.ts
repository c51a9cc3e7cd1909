/** docs/explain.md from the catalogue: every finding with its reason and remedy. */

import type { Severity } from '../../../config/diagnostic.ts';
import { catalogue, type FindingKind } from './catalogue.ts';

const introduction = `# What \`evergate explain\` finds

    evergate explain lb1.conf lb2.conf [lb3.conf …] [haproxy.cfg]

reads the nodes' keepalived.conf together (and the haproxy.cfg that they share) and explains the cluster before anything happens. Where all nodes share one
file with lines marked \`@lb1\`, \`@lb2\` (conditional configuration, \`keepalived -i\`), write the name behind the file: \`evergate explain keepalived.conf@lb1 keepalived.conf@lb2\`.
The page has:

- **Running priorities**: what each node runs with in normal operation, and what that is made of. A positive weight is added while its
  check succeeds and nothing is subtracted when it fails; so the priority in the file is not the one that is compared.
- **One failure at a time**: who is active then, why, and after how long, with Evergate and with Keepalived 2.2.7 and the same files. Times
  count from the failure and include the check that notices it; network and scheduling delays are not counted. A script of one's own is
  taken to notice that the balancer died.
- **Every combination of failures**, as a table in which conditions that come to the same are one row. Times are the longest of the row.
  More than 4,096 combinations are not tried: the page says what was left out.
- **Findings**: what in the files does something else than it seems to, with the place, the reason, and what to write instead.

\`--json\` says the same to programs, every combination included (below). The exit status is 0 when nothing worse than a notice was found, 1 otherwise.

Each finding is tested with files that show its trouble in virtual time or on real sockets (\`test/explain/\`), and each prediction of the tables by playing the
failure.

This list is made from the table that the program uses (\`src/plan/explain/findings/catalogue.ts\`); do not edit it by hand.
`;

const json = `
## \`--json\`

Fields may be added; those that are here keep their names and meanings. Times are milliseconds.

| field | what it is |
|--|--|
| \`nodes[]\` | \`name\` as the page has it, \`file\` |
| \`virtualRouters[]\` | \`name\`, \`virtualRouterId\`, \`version\`, \`addresses[]\`, and what follows |
| \`….priorities[]\` | by node: \`base\` as the file has it, \`running\` in normal operation, \`trackers[]\` with \`name\`, \`weight\`, \`reverse\`, \`adds\` (now), \`priorityWhenFailed\` (null: FAULT), \`faultWhenFailed\`, \`noticedMs\` (\`min\`, \`max\`: from the trouble until it counts) |
| \`….activeDownMs\` | how long a node that nobody hears any more counts as active |
| \`….normal\` | the outcome while nothing fails |
| \`….failures[]\` | one failure at a time: \`node\`, \`failures[]\` that come to the same, \`outcome\` |
| \`….comesBack\`, \`….partition\` | the same for the active node's return and for a network that parts it from the others; null where that makes no sense |
| \`….combinations\` | \`all[]\`: \`failures\` (by node, a list each) and \`outcome\`; \`limit\`: null, or in words which are tried where all would be too many |
| \`findings[]\`, \`diagnostics[]\` | \`severity\` (\`alert\`, \`warning\`, \`notice\`), \`message\`, \`place\` (\`file\`, \`line\`, \`column\`, \`length\`), \`code\`, \`hint\` (what to write); a finding has its name from the tables above in \`finding\`, its \`reason\`, and in \`also[]\` further places |

A failure is \`balancer\` (dies), \`host\` (or the VRRP daemon is lost), \`stop\` (of the daemon, orderly), \`link NAME\`, or the name of a tracker: \`script NAME\`, \`process NAME\`, \`interface NAME\`,
\`file NAME\`, \`bfd NAME\`.

An outcome is \`{"evergate": …, "keepalived": …}\`, each with \`active[]\` (one node; none; several at the same time), \`instead[]\` (nodes that could be active instead, depending on what was
before), \`why\`, \`minMs\` and \`maxMs\` from the failure on, \`formula\` of the latter, \`changed\`, \`deadHolder\` (the address stays in front of a dead balancer); for Evergate also \`watched\`
(\`minMs\`, \`maxMs\`, \`formula\`) where nodes that watch each other by BFD are faster.
`;

const titles: Readonly<Record<Severity, string>> = {
  alert: 'Alerts: two active nodes, or a cluster that cannot work',
  warning: 'Warnings: a failure that is not survived as it seems to be meant',
  notice: 'Notices: worth knowing',
};

export function findingsDocument(): string {
  const sections = (['alert', 'warning', 'notice'] as const).map((severity) => {
    const rows = Object.entries<FindingKind>(catalogue).filter(([, kind]) => kind.severity === severity);
    return `\n## ${titles[severity]}\n\n| finding | what | why it matters | what to write |\n|--|--|--|--|\n${rows.map(row).join('')}`;
  });
  return introduction + sections.join('') + json;
}

function row([name, { title, reason, remedy }]: [string, FindingKind]): string {
  return `| \`${name}\` | ${title} | ${reason} | ${remedy} |\n`;
}
