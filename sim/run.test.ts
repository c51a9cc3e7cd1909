import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const run = (...options: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), ...options], { encoding: 'utf8' });

test('npm run sim -- --help tells every option, and one that is not understood is told with them', () => {
  const help = run('--help');
  assert.equal(help.status, 0, help.stderr);
  for (const option of ['--count', '--seed', '--from', '--file', '--keep']) assert.ok(help.stdout.includes(option));
  const unknown = run('--sed', '1');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /--sed.*Usage: npm run sim/s);
  assert.doesNotMatch(unknown.stderr, /node:internal/);
});

test('a seed is the same schedule each time', () => {
  const first = run('--seed', '4711');
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /no invariant broken\n$/);
  assert.equal(run('--seed', '4711').stdout, first.stdout);
});
