/**
 * Runs every test: all `*.test.ts` below src, test, sim, lab, bench and scripts, or those whose path contains one of the arguments.
 * With EVERGATE_REQUIRE_ALL=1 a skipped test is a failure: CI must not go green because something was missing.
 */
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const wanted = process.argv.slice(2);
const files = globSync('{src,test,sim,lab,bench,scripts,deploy}/**/*.test.ts')
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches: ${wanted.join(' ')}`);
  process.exit(1);
}

const requireAll = process.env['EVERGATE_REQUIRE_ALL'] === '1';
const skipped: string[] = [];
// Tests measure time and use namespaces with fixed addresses: one file at a time keeps them honest on a small machine.
const tests = run({ files, concurrency: 1, timeout: 600_000 });
tests.on('test:fail', () => {
  process.exitCode = 1;
});
tests.on('test:pass', (event) => {
  if (event.skip !== undefined && event.skip !== false) skipped.push(`${event.name}: ${event.skip}`);
});
tests.on('end', () => {
  if (requireAll && skipped.length > 0) {
    console.error(`EVERGATE_REQUIRE_ALL=1 and ${skipped.length} tests were skipped:\n  ${skipped.join('\n  ')}`);
    process.exitCode = 1;
  }
});
tests.compose(spec).pipe(process.stdout);
