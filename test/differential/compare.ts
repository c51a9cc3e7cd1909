/** Comparing two observations: dates masked, timers within a tolerance, allowed differences applied. */
import type { Observation } from './observe.ts';
import type { Scenario } from './scenario.ts';

/** Two timers are the same when they differ by less than this, or by a quarter: the machine is shared. */
const toleranceMs = 500;

export interface Verdict {
  readonly same: boolean;
  /** Readable differences; empty when the same. */
  readonly report: string;
}

/** @param reference what HAProxy did. @param tested what the program under test did. */
export function compare(scenario: Scenario, reference: Observation, tested: Observation, testedName: string): Verdict {
  const broken = reference.lines.find((line) => /^(exited|does not listen)|waited in vain/.test(line));
  if (broken !== undefined)
    return { same: false, report: `  the scenario is wrong: with HAProxy, ${broken}\n${reference.output}` };
  const { deviation } = scenario;
  const deviates = testedName === 'evergate' && deviation !== undefined;
  const concerned = (line: string) =>
    deviates && deviation.lines.some((part) => line.startsWith(part) && !/^\w/.test(line.slice(part.length)));
  const prepare = ({ lines }: Observation) =>
    normalise(
      lines.filter((line) => !concerned(line)),
      scenario,
    );
  const report = diff(prepare(reference), prepare(tested), testedName);
  if (deviates) {
    const own = tested.lines.filter(concerned).join('\n');
    for (const expected of deviation.evergate)
      if (!expected.test(own)) report.push(`  deviation expected, ${expected} does not match:\n${indent(own)}`);
  }
  return { same: report.length === 0, report: report.join('\n') };
}

function normalise(lines: readonly string[], scenario: Scenario): string[] {
  const rewritten = lines.map((line) => {
    let text = maskDates(line);
    for (const { pattern, to } of scenario.mayDiffer ?? []) text = text.replace(pattern, to);
    return markTimers(text);
  });
  if (scenario.unordered !== true) return rewritten.filter((line) => line !== '');
  // Connection numbers follow the order of arrival, which is chance here.
  const stable = rewritten.map((line) => line.replace(/^(server \w+ connection) \d+/, '$1'));
  const key = (line: string) => line.replace(/⟨\d+⟩/g, '');
  return stable.filter((line) => line !== '').sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function maskDates(line: string): string {
  return (
    line
      // log-tag defaults to the program's name.
      .replace(/\b(haproxy|evergate)(?=[[ ]\{pid\})/, '{tag}')
      .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(\.\d{3})?/g, '{date}')
      .replace(/^(log <\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /, '$1{date} ')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/g, '{date}')
  );
}

/** Timers of httplog, tcplog and health check lines become `⟨n⟩`, which compares with a tolerance. */
function markTimers(line: string): string {
  if (!line.startsWith('log ')) return line;
  return line
    .replace(/ (-?\d+\/){4}\+?-?\d+ (?=-?\d+ )/, mark)
    .replace(/ (-?\d+\/){2}\+?-?\d+ (?=\+?\d+ [\w-]{2} )/, mark)
    .replace(/check duration: \d+ms/, mark)
    .replace(/ms=[-+\d/|]+/g, mark);
}

function mark(timers: string): string {
  return timers.replace(/-?\d+/g, (digits) => (digits === '-1' ? digits : `⟨${digits}⟩`));
}

function equal(a: string, b: string): boolean {
  if (a === b) return true;
  const timer = /⟨(\d+)⟩/g;
  if (a.replace(timer, '⟨⟩') !== b.replace(timer, '⟨⟩')) return false;
  const times = [...b.matchAll(timer)].map((match) => Number(match[1]));
  return [...a.matchAll(timer)].every((match, index) => {
    const ours = times[index] ?? 0;
    const theirs = Number(match[1]);
    return Math.abs(ours - theirs) <= Math.max(toleranceMs, 0.25 * Math.max(ours, theirs));
  });
}

/** Lines that differ, in order, by the longest common subsequence. */
function diff(reference: readonly string[], tested: readonly string[], testedName: string): string[] {
  const rows = reference.length;
  const columns = tested.length;
  const common = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0));
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      common[i]![j] = equal(reference[i]!, tested[j]!)
        ? common[i + 1]![j + 1]! + 1
        : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const report: string[] = [];
  for (let i = 0, j = 0; i < rows || j < columns; ) {
    if (i < rows && j < columns && equal(reference[i]!, tested[j]!)) {
      i++;
      j++;
    } else if (j >= columns || (i < rows && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      report.push(`  haproxy   ${reference[i++]}`);
    } else {
      report.push(`  ${testedName.padEnd(9)} ${tested[j++]}`);
    }
  }
  return report;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
