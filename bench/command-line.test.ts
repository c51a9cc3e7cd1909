import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const run = (file: string, ...words: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, file), ...words], { encoding: 'utf8', timeout: 30_000 });

for (const file of ['run.ts', 'failover/run.ts']) {
  test(`${file} tells what it understands`, () => {
    const { status, stdout } = run(file, '--help');
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: npm run bench\S* -- \[options\]/);
  });

  test(`${file}: what it does not understand is said in a line, before anything is measured`, () => {
    const wrong = [['--foo'], ['nothing-of-that-name'], [file === 'run.ts' ? '--rounds' : '--trials', 'x']];
    if (file === 'failover/run.ts') wrong.push(['--files', 'tuned'], ['--engine', 'evergate,foo']);
    for (const words of wrong) {
      const { status, stdout, stderr } = run(file, ...words);
      assert.equal(status, 2, words.join(' '));
      assert.equal(stdout, '');
      const lines = stderr.trimEnd().split('\n');
      assert.match(lines[0]!, /^error: /);
      assert.match(lines[1]!, /--help tells what there is/);
      assert.equal(lines.length, 2, stderr);
    }
  });
}
