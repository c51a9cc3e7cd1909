/** docs/explain.md from the catalogue: every finding with its reason and remedy. */

import type { Severity } from '../../../config/diagnostic.ts';
import { catalogue, type FindingKind } from './catalogue.ts';

const introduction = `# What \`evergate explain\` finds

    evergate explain lb1.conf lb2.conf [lb3.conf …] [haproxy.cfg]

reads the nodes' keepalived.conf together (and the haproxy.cfg that they share) and explains the cluster before anything happens:

- **Running priorities**: what each node runs with in normal operation, and what that is made of. A positive weight is added while its
  check succeeds and nothing is subtracted when it fails; so the priority in the file is not the one that is compared.
- **One failure at a time**: who is active then, why, and after how long, with Evergate and with Keepalived 2.2.7 and the same files. Times
  count from the failure and include the check that notices it; network and scheduling delays are not counted. A script of one's own is
  taken to notice that the balancer died.
- **Every combination of failures**, as a table in which conditions that come to the same are one row. Times are the longest of the row.
  More than 4,096 combinations are not tried: the page says what was left out.
- **Findings**: what in the files does something else than it seems to, with the place, the reason, and what to write instead.

\`--json\` says the same to programs, every combination included. The exit status is 0 when nothing worse than a notice was found, 1 otherwise.

Each finding is tested with files that show its trouble in virtual time or on real sockets (\`test/explain/\`), and each prediction of the tables by playing the
failure.

This list is made from the table that the program uses (\`src/plan/explain/findings/catalogue.ts\`); do not edit it by hand.
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
  return introduction + sections.join('');
}

function row([name, { title, reason, remedy }]: [string, FindingKind]): string {
  return `| \`${name}\` | ${title} | ${reason} | ${remedy} |\n`;
}
