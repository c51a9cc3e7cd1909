import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDrill, parseDuration } from './drill-file.ts';
import { loadDrills } from './drill-list.ts';

const errorsOf = (text: string) => {
  const parsed = parseDrill('mine.yaml', text);
  return 'errors' in parsed ? parsed.errors : [];
};

test('a drill is read with its steps, where they happen, and what is expected', () => {
  const text = `title: Two things
before:
  - kill: server
steps:
  - unplug: link
    on: lb2
    at: 1.5 s
  - wait: answers
    within: 500 ms
  - hold: 2 s
expect:
  failed: 3
  outage: 1 s
`;
  const parsed = parseDrill('folder/mine.yaml', text);
  assert.ok('drill' in parsed, JSON.stringify(parsed));
  const { drill } = parsed;
  assert.equal(drill.name, 'mine');
  assert.deepEqual(drill.before, [{ verb: 'kill', what: 'server', on: 'server', atMs: undefined, ms: 20_000 }]);
  assert.deepEqual(drill.steps, [
    { verb: 'unplug', what: 'link', on: 'lb2', atMs: 1500, ms: 20_000 },
    { verb: 'wait', what: 'answers', on: 'all', atMs: undefined, ms: 500 },
    { verb: 'hold', what: '2 s', on: 'all', atMs: undefined, ms: 2000 },
  ]);
  assert.deepEqual(drill.expect, { failed: 3, outageMs: 1000 });
});

test('what is wrong is said with its line', () => {
  assert.deepEqual(errorsOf('title: a\nsteps:\n  - kill: everything\n'), [
    'mine.yaml:3: kill: expected balancer, vrrp, both, server, log, not "everything"',
  ]);
  assert.match(errorsOf('title: a\nsteps:\n  - explode: now\n')[0] ?? '', /^mine\.yaml:3: "explode" is not known here/);
  assert.deepEqual(errorsOf('title: a\nsteps:\n  - hold: soon\n'), [
    'mine.yaml:3: "soon" is no duration (500 ms, 2 s)',
  ]);
  assert.deepEqual(errorsOf('title: a\nsteps:\n  - kill: vrrp\n    stop: node\n'), [
    'mine.yaml:3: one verb a step, not kill and stop',
  ]);
  assert.deepEqual(errorsOf('title: a\nsteps: []\n'), ['mine.yaml:2: a drill needs steps']);
  assert.match(errorsOf('title: [a\n')[0] ?? '', /^mine\.yaml:\d+: /);
  assert.ok(errorsOf('just text').length > 0);
});

test('durations', () => {
  assert.equal(parseDuration('1.5s'), 1500);
  assert.equal(parseDuration('100'), 100);
  assert.equal(parseDuration('2 min'), 120_000);
  assert.equal(parseDuration('-1 s'), undefined);
});

test('every drill that comes with the program can be read', () => {
  const found = loadDrills(undefined);
  assert.ok('drills' in found, JSON.stringify(found));
  assert.ok(found.drills.length >= 25);
  assert.equal(new Set(found.drills.map(({ title }) => title)).size, found.drills.length);
});

test('a drill that nobody has is refused with a hint', () => {
  const found = loadDrills(['no-such-drill']);
  assert.ok('errors' in found);
  assert.match(found.errors[0] ?? '', /no-such-drill.*--list/);
});
