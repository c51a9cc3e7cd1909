/** The page that a person reads: one part for each virtual router, then the findings. Fits 100 columns. */
import type { Diagnostic } from '../../config/diagnostic.ts';
import type { ConditionClass } from '../../plan/explain/combinations.ts';
import type { Explanation, FailureRow, PriorityExplanation, RouterExplanation } from '../../plan/explain/explain.ts';
import type { Outcome } from '../../plan/explain/outcome.ts';
import { watchedMsMax } from '../../plan/explain/outcome.ts';
import type { World } from '../../plan/explain/situation.ts';
import type { Tracker, TrackerKind } from '../../plan/explain/trackers.ts';
import { prioritySum } from '../priority-sum.ts';
import { picture } from './picture.ts';
import { describeOutcome, duration, formulaOf, listed, type Paint, pageColumns, table, wrap } from './text.ts';

const worldNames: Readonly<Record<World, string>> = { evergate: 'Evergate', keepalived: 'Keepalived' };

export function renderRouters({ routers }: Explanation, paint: Paint): string {
  return routers.map((router) => `${renderRouter(router, paint).join('\n')}\n`).join('\n');
}

function renderRouter(explained: RouterExplanation, paint: Paint): string[] {
  const { settings } = explained.router.members[0]!.router;
  const { transport } = settings;
  const where = transport.kind === 'multicast' ? `multicast ${transport.group}` : 'unicast';
  const title = `${explained.router.name}: virtual router ${settings.virtualRouterId}, ${settings.interface || 'no interface'}, version ${settings.version}, ${where}`;
  const alone = explained.router.members.length === 1;
  return [
    paint('strong', title),
    paint('dim', '─'.repeat(pageColumns)),
    ...indented(picture(explained, paint)),
    '',
    ...indented(wrap(summary(explained), pageColumns - 4)),
    '',
    ...heading('Running priorities', paint),
    ...indented(priorityLines(explained, paint)),
    ...(alone ? [] : failureLines(explained, paint)),
    ...(alone ? [] : combinationLines(explained, paint)),
  ];
}

function heading(text: string, paint: Paint): string[] {
  return [`  ${paint('strong', text)}`];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `    ${line}`));
}

// ------------------------------------------------------------ the answer in a sentence

function summary(explained: RouterExplanation): string {
  const { router, normal, split, failures } = explained;
  if (router.members.length === 1)
    return `Only ${router.members[0]!.node.name} is known here: give the other nodes' files too, and the page tells who takes over and when.`;
  if (split.evergate)
    return `SPLIT: ${listed(normal.evergate.active)} don't hear each other, and all of them hold the address at the same time.`;
  const old =
    normal.keepalived.instead.length > 0 ? ` (or ${normal.keepalived.instead.join(' or ')}: equal priorities)` : '';
  const active = normal.evergate.active[0];
  if (active === undefined) return 'Nobody can become active.';
  const splitNote = split.keepalived
    ? ' With Keepalived before 2.3.3 the nodes do not accept the advertisements of each other: several are active.'
    : '';
  const balancer = failures.find(({ node, ids }) => node === active && ids.includes('balancer'));
  const how = (outcome: Outcome | undefined) =>
    outcome === undefined || !outcome.changed
      ? 'the address does not move'
      : outcome.active.length === 0
        ? 'nobody takes over'
        : `${outcome.active[0]} takes over ${outcome.maxMs === 0 ? 'at once' : `within ${duration(outcome.maxMs)}`}`;
  const [ours, theirs] = [how(balancer?.outcome.evergate), how(balancer?.outcome.keepalived)];
  const both = ours === theirs ? `${ours}.` : `${ours} with Evergate; with Keepalived ${theirs}.`;
  const other = router.members.length > 1 ? ` ${against(explained, active)}` : '';
  return `The address is on ${active}${old}${other}. When its balancer dies ${both}${splitNote}`;
}

/** `with priority 103 against 102`: the best of the others. */
function against({ priorities }: RouterExplanation, active: string): string {
  const running = (own: boolean) =>
    priorities.filter(({ member }) => (member.node.name === active) === own).map((each) => each.running);
  return `with priority ${running(true)[0]} against ${Math.max(...running(false))}`;
}

// ------------------------------------------------------------ priorities

function priorityLines({ priorities }: RouterExplanation, paint: Paint): string[] {
  const lines = table(
    ['node', 'runs with', 'made of', 'when a check fails'],
    priorities.flatMap((explained) => priorityRows(explained, paint)),
    paint,
  );
  const added = priorities.some(({ parts }) => parts.some(({ now, tracker }) => now > 0 && !tracker.reverse));
  const note = 'A positive weight is added while its check succeeds; nothing is subtracted when it fails.';
  const reversed = priorities
    .flatMap(({ parts }) => parts.map(({ tracker }) => tracker))
    .filter((each) => each.reverse);
  const turned = [...new Set(reversed.map(reverseNote))].flatMap((text) => wrap(text, pageColumns - 4));
  return [...lines, ...[...(added ? [note] : []), ...turned].map((line) => paint('note', line)), ''];
}

/** What a tracker does to the priority when it says the opposite of what one expects of a check. */
function reverseNote({ kind, name, weight }: Tracker): string {
  const [well, failed] = wellAndFailed[kind];
  const start = `${name} is tracked with reverse:`;
  if (weight === 0) return `${start} the node is in FAULT while it ${well}, and takes part while it ${failed}.`;
  if (kind === 'file') return `${start} its number times ${-weight} is added to the priority.`;
  return weight > 0
    ? `${start} ${weight} is subtracted while it ${well}, nothing while it ${failed}.`
    : `${start} ${-weight} is added while it ${failed}, nothing while it ${well}.`;
}

const wellAndFailed: Readonly<Record<TrackerKind, readonly [string, string]>> = {
  script: ['succeeds', 'fails'],
  process: ['runs', 'does not run'],
  interface: ['is up', 'is down'],
  bfd: ['is up', 'is down'],
  file: ['says 0', 'says another number'],
};

function priorityRows({ member, base, running, parts }: PriorityExplanation, paint: Paint): string[][] {
  const changes = parts.map(({ now }) => now).filter((now) => now !== 0);
  const made = prioritySum(base, changes, running);
  const failures = parts.map(({ tracker, failed }) => {
    const effect = failed === undefined ? 'FAULT' : `${failed}`;
    const weight = tracker.weight === 0 ? 'no weight' : `weight ${tracker.weight}${tracker.reverse ? ' reverse' : ''}`;
    return `${effect}  ${paint('dim', `${tracker.name}, ${weight}`)}`;
  });
  if (failures.length === 0) failures.push(paint('dim', 'nothing is checked'));
  return failures.map((text, index) =>
    index === 0 ? [member.node.name, paint('strong', `${running}`), made, text] : ['', '', '', text],
  );
}

// ------------------------------------------------------------ one failure at a time

function failureLines(explained: RouterExplanation, paint: Paint): string[] {
  const { failures, comesBack, partition, split } = explained;
  const quiet = (row: FailureRow) => !row.outcome.evergate.changed && !row.outcome.keepalived.changed && !dead(row);
  const dead = ({ outcome }: FailureRow) => outcome.evergate.deadHolder || outcome.keepalived.deadHolder;
  const loud = failures.filter((row) => !quiet(row) && !split.evergate);
  const silent = failures.filter((row) => quiet(row) || split.evergate);
  const lines = loud.flatMap((row) => failureRow(row, paint));
  if (silent.length > 0 && !split.evergate) lines.push(...quietRows(silent, explained, paint));
  if (comesBack !== undefined) lines.push(...failureRow(comesBack, paint));
  if (partition !== undefined) lines.push(...failureRow(partition, paint));
  lines.push(...takenForGranted(explained, paint), ...slowChecks(explained, paint));
  return lines.length === 0 ? [] : [...heading('One failure at a time', paint), ...indented(lines), ''];
}

/** Which of both comes first, on the average: the check's verdict (fall x interval), or the end of the patience with a silent node? */
function slowChecks({ priorities, activeDownMs }: RouterExplanation, paint: Paint): string[] {
  const slow = priorities
    .flatMap(({ parts }) => parts.map(({ tracker }) => tracker))
    .filter(({ noticed: { minMs, maxMs } }) => (minMs + maxMs) / 2 > activeDownMs);
  const notes = slow.map(({ name, noticed: { minMs, maxMs, formula } }) => {
    const after = minMs === maxMs ? `${maxMs}` : `${minMs} to ${maxMs}`;
    return `What only ${name} sees moves the address later than advert_int lets one believe: it notices after ${after} ms (${formula}), a silent node is replaced after ${Math.round(activeDownMs)} ms.`;
  });
  return [...new Set(notes)].flatMap((note) => wrap(note, pageColumns - 4)).map((line) => paint('note', line));
}

function takenForGranted({ priorities }: RouterExplanation, paint: Paint): string[] {
  const own = priorities.flatMap(({ parts }) => parts.map(({ tracker }) => tracker));
  const names = own.filter(({ kind, noticesBalancer, process }) => kind === 'script' && noticesBalancer && !process);
  if (names.length === 0) return [];
  const list = [...new Set(names.map(({ name }) => name))].join(', ');
  const note = `Keepalived's times take for granted that ${list} notices a dead balancer.`;
  return wrap(note, pageColumns - 4).map((line) => paint('note', line));
}

function failureRow({ node, what, outcome }: FailureRow, paint: Paint): string[] {
  const name = node === '' ? '' : `${node}: `;
  const lines = wrap(`${name}${what.join('; ')}`, pageColumns - 4);
  const same = JSON.stringify(outcome.evergate) === JSON.stringify(outcome.keepalived);
  const worlds = same
    ? [['both', outcome.evergate] as const]
    : (['evergate', 'keepalived'] as const).map((world) => [worldNames[world], outcome[world]] as const);
  for (const [label, each] of worlds) {
    const told = wrap(describeOutcome(each, paint), pageColumns - 20);
    lines.push(...told.map((line, index) => `  ${(index === 0 ? label : '').padEnd(11)} ${line}`));
    const because = [each.why, formulaOf(each)].filter((part) => part !== '').join('; ');
    if (each.changed && because !== '')
      lines.push(...wrap(because, pageColumns - 20).map((line) => `${' '.repeat(14)}${paint('dim', line)}`));
    else if (!each.changed && each.deadHolder) lines.push(`${' '.repeat(14)}${paint('dim', each.why)}`);
  }
  return lines;
}

/** Failures that move nothing, a line for each node. */
function quietRows(rows: readonly FailureRow[], { normal }: RouterExplanation, paint: Paint): string[] {
  const byNode = Map.groupBy(rows, ({ node }) => node);
  const stays = paint('dim', `stays ${normal.evergate.active.join(' and ')}`);
  return [...byNode].flatMap(([node, each]) => [
    ...wrap(`${node}: ${each.flatMap(({ what }) => what).join('; ')}`, pageColumns - 4),
    `  ${'both'.padEnd(11)} ${stays}`,
  ]);
}

// ------------------------------------------------------------ combinations

function combinationLines(explained: RouterExplanation, paint: Paint): string[] {
  const { combinations, router, split } = explained;
  if (split.evergate || combinations.rows.length < 2) return [];
  const names = router.members.map(({ node }) => node.name);
  const rows = combinations.rows.map((row) => [
    ...row.classes.map((classes, index) => cell(classes, combinations.classes[index]!)),
    holder(row.outcome.evergate, row.maxMs.evergate, paint),
    holder(row.outcome.keepalived, row.maxMs.keepalived, paint),
  ]);
  const count = `${combinations.all.length} combinations of failures of all nodes at once`;
  const limit = combinations.limit === undefined ? '' : ` (limited: ${combinations.limit})`;
  return [
    ...heading(`Everything together: ${count}${limit}`, paint),
    ...indented(table([...names, 'Evergate', 'Keepalived'], rows, paint)),
    '',
    ...indented([...legend(combinations.classes, paint), ...watchedNote(explained, paint)]),
    '',
  ];
}

/** The table has one time for each row: the longest. */
function watchedNote({ failures }: RouterExplanation, paint: Paint): string[] {
  const first = failures.find(({ outcome }) => outcome.evergate.watched !== undefined)?.outcome.evergate;
  const watched = first?.watched;
  if (first === undefined || watched === undefined) return [];
  const note = `Evergate's times are those beside a Keepalived. Where both nodes run Evergate, the loss of one is noticed within ${duration(watched.maxMs)} (${watched.formula}), on busy machines within ${duration(Math.min(watchedMsMax, first.maxMs))}.`;
  return wrap(note, pageColumns - 4).map((line) => paint('note', line));
}

function cell(classes: readonly number[], all: readonly ConditionClass[]): string {
  if (classes.length === all.length) return 'any';
  if (classes.length === all.length - 1 && classes.length > 1) {
    const missing = all.find((_, index) => !classes.includes(index));
    return `not ${missing!.label}`;
  }
  return classes.map((index) => all[index]!.label).join(' / ');
}

function holder({ active, deadHolder }: Outcome, maxMs: number, paint: Paint): string {
  if (active.length === 0) return paint('bad', 'nobody');
  const time = maxMs === 0 ? '' : paint('dim', ` ${duration(maxMs)}`);
  const text = listed(active);
  return deadHolder
    ? `${paint('bad', `${text}, dead`)}${time}`
    : active.length > 1
      ? paint('bad', text)
      : `${text}${time}`;
}

/** What the labels of the table above stand for, where they don't say it themselves. */
function legend(classes: readonly (readonly ConditionClass[])[], paint: Paint): string[] {
  const lines = classes
    .flat()
    .filter(({ label, causes }) => causes.length > 1 || (label === 'out' && causes.length > 0))
    .map(({ label, causes }) => `${label}: ${causes.join('; ')}`);
  const times = 'The time is the longest of the row; dead: the address stays in front of a dead balancer.';
  return [...new Set(lines), times].flatMap((line) => wrap(line, pageColumns - 4)).map((line) => paint('dim', line));
}

export function countOf(diagnostics: readonly Diagnostic[], severity: Diagnostic['severity']): number {
  return diagnostics.filter((each) => each.severity === severity).length;
}
