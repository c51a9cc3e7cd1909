/**
 * What is found in the corpus of real files, each finding judged by hand against the file: a finding that appears or disappears must be
 * judged anew. Files that no plan can be made of (test/corpus-keepalived.test.ts says why) are left out.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { renderFindings } from '../../src/commands/explain/findings.ts';
import { loadFiles } from '../../src/commands/explain/load.ts';
import { renderRouters } from '../../src/commands/explain/page.ts';
import { pageColumns, painter } from '../../src/commands/explain/text.ts';
import { explain } from '../../src/plan/explain/explain.ts';
import { needs } from '../requirements.ts';

const folder = new URL('../../../shared/corpus/keepalived/', import.meta.url);
const skip = needs('shared');

interface Judged {
  readonly findings: readonly string[];
  /** Why they are right. */
  readonly because: string;
}

const process = 'asks for the process only, and the defaults announce the address twice and never again';
const refresh =
  'asks for an answer (or a script of which nothing is known); announces the address twice and never again';

/** By file: finding and line. */
const single: Readonly<Record<string, Judged>> = {
  '001': { findings: ['only-existence:12', 'no-garp-refresh:19'], because: `a shell around killall -0: ${process}` },
  '002': { findings: ['only-existence:11', 'no-garp-refresh:18'], because: process },
  '003': { findings: ['only-existence:7', 'no-garp-refresh:12'], because: `systemctl is-active: ${process}` },
  '004': { findings: ['only-existence:7', 'no-garp-refresh:12'], because: `systemctl is-active: ${process}` },
  '005': { findings: ['only-existence:15', 'no-garp-refresh:22'], because: `pgrep: ${process}` },
  '006': { findings: ['only-existence:2', 'no-garp-refresh:7'], because: process },
  '007': { findings: [], because: 'a script of its own, announcements refreshed every 10 s' },
  '008': { findings: [], because: 'alone it cannot be told that its weight is too small: see the pair' },
  '009': { findings: ['only-existence:3', 'no-garp-refresh:9'], because: process },
  '010': { findings: ['only-existence:3', 'no-garp-refresh:9'], because: process },
  '011': { findings: ['only-existence:2', 'no-garp-refresh:7'], because: process },
  '012': { findings: ['only-existence:6', 'no-garp-refresh:11'], because: process },
  '013': { findings: ['nothing-tracked:1', 'no-garp-refresh:1'], because: 'the script that it tracks is not defined' },
  '014': { findings: ['only-existence:2', 'no-garp-refresh:6'], because: `pkill -0: ${process}` },
  '015': { findings: ['only-existence:2', 'no-garp-refresh:6'], because: `pkill -0: ${process}` },
  '018': { findings: ['only-existence:2', 'no-garp-refresh:6'], because: `pidof: ${process}` },
  '019': { findings: ['only-existence:14', 'no-garp-refresh:21'], because: `service status: ${process}` },
  '020': { findings: ['only-existence:14', 'no-garp-refresh:20'], because: `service status: ${process}` },
  '024': { findings: ['no-garp-refresh:17'], because: refresh },
  '026': { findings: ['nothing-tracked:1', 'no-garp-refresh:1'], because: 'the script that it tracks is not defined' },
  '027': { findings: ['no-garp-refresh:20'], because: refresh },
  '028': {
    findings: ['nothing-tracked:12', 'nopreempt-with-master:16', 'no-garp-refresh:12'],
    because: 'state MASTER and nopreempt in one instance, and no check at all',
  },
  '031': { findings: ['no-garp-refresh:13'], because: refresh },
  '033': { findings: ['no-garp-refresh:14'], because: refresh },
  '034': {
    findings: ['only-existence:7', 'nopreempt-with-master:15', 'no-garp-refresh:10'],
    because: `state MASTER and nopreempt in one instance; killall -0: ${process}`,
  },
  '035': { findings: ['no-garp-refresh:17'], because: refresh },
  '040': { findings: ['only-existence:2', 'no-garp-refresh:7'], because: process },
  '042': { findings: ['no-garp-refresh:25'], because: refresh },
  '043': { findings: ['nothing-tracked:1', 'no-garp-refresh:1'], because: 'no check at all' },
  '044': {
    findings: ['primary-not-tracked:17', 'only-existence-process:2'],
    because: 'dont_track_primary is written; track_process alone; announcements are refreshed every second',
  },
  '045': {
    findings: ['owner-priority:5', 'nothing-tracked:1', 'no-garp-refresh:1'],
    because: 'priority 255 on a node that does not own the address, and no check at all',
  },
  '046': { findings: ['only-existence:6', 'no-garp-refresh:11'], because: process },
  '048': { findings: ['no-garp-refresh:15'], because: refresh },
  '049': {
    findings: ['only-existence:2', 'no-garp-refresh:7', 'no-garp-refresh:25'],
    because: `two instances with one check: ${process}`,
  },
  '050': {
    findings: ['master-without-priority:3', 'nothing-tracked:2', 'no-garp-refresh:2'],
    because: 'a template: `priority PRI` is no number, so Keepalived takes 255 for state MASTER',
  },
  '053': { findings: ['no-garp-refresh:12'], because: refresh },
  '054': {
    findings: ['owner-priority:13', 'no-garp-refresh:9'],
    because: 'priority 255 on a node that does not own the address',
  },
  '055': { findings: ['nothing-tracked:1', 'no-garp-refresh:1'], because: 'no check at all' },
};

/** Files of one repository that are a pair. What a single file shows too is left out here. */
const pairs: Readonly<Record<string, Judged>> = {
  '004 003': { findings: [], because: '100 against 90 with weight -30: moves the address' },
  '008 007': { findings: ['weight-cannot-move:31'], because: '150 - 10 is still more than 100' },
  '010 009': { findings: [], because: '100 against 101 with weight 2: moves the address' },
  '015 014': { findings: [], because: 'weight 0: a failure means FAULT' },
  '020 019': { findings: [], because: 'weight 0: a failure means FAULT' },
};

function found(names: readonly string[]): string[] {
  const { nodes, findings } = loadFiles(names.map((name) => new URL(`${name}.conf`, folder).pathname));
  if (nodes.length === 0) return [];
  return [...findings, ...explain(nodes, undefined).findings].map(({ finding, place }) => `${finding}:${place.line}`);
}

test('single files', { skip }, () => {
  let plans = 0;
  for (let number = 1; existsSync(new URL(`${nameOf(number)}.conf`, folder)); number++) {
    const name = nameOf(number);
    const path = new URL(`${name}.conf`, folder).pathname;
    if (loadFiles([path]).nodes.length > 0) plans++;
    assert.deepEqual(found([name]), single[name]?.findings ?? [], `${name}: ${single[name]?.because}`);
  }
  assert.equal(plans, Object.keys(single).length);
});

test('pairs', { skip }, () => {
  for (const [names, { findings, because }] of Object.entries(pairs)) {
    const files = names.split(' ');
    const known = new Set(files.flatMap((file) => found([file])));
    const fresh = found(files).filter((each) => !known.has(each));
    assert.deepEqual(fresh, findings, `${names}: ${because}`);
  }
});

test('any two files that know nothing of each other: a page that fits', { skip }, () => {
  const paint = painter(false);
  const names = Object.keys(single);
  for (const [index, name] of names.entries()) {
    const others = [name, names[(index + 1) % names.length]!, names[(index + 7) % names.length]!];
    const { nodes } = loadFiles(others.map((each) => new URL(`${each}.conf`, folder).pathname));
    const explanation = explain(nodes, undefined);
    const page = renderRouters(explanation, paint) + renderFindings(explanation.findings, paint, () => undefined);
    for (const line of page.split('\n')) assert.ok([...line].length <= pageColumns, `${others}: ${line}`);
  }
});

function nameOf(number: number): string {
  return `${number}`.padStart(3, '0');
}
