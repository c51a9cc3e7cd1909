/**
 * `npm run fuzz [-- <runs>]`: the properties of the HTTP/1 reader and of both configuration parsers, with many more cases than
 * `npm test` has time for. A failing case is printed with its seed and path, to be replayed and kept as a test.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const runs = Number(process.argv[2] ?? 200_000);
if (!Number.isInteger(runs) || runs <= 0) {
  console.error('usage: npm run fuzz [-- <cases for each property, a whole number above 0>]');
  process.exit(1);
}
const files = globSync([
  'src/config/haproxy/parse.test.ts',
  'src/config/keepalived/fuzz.test.ts',
  'src/core/http1/fuzz.test.ts',
]);
const child = spawnSync(process.execPath, ['--test', '--test-timeout=0', ...files], {
  stdio: 'inherit',
  env: { ...process.env, EVERGATE_FUZZ_RUNS: String(runs) },
});
process.exit(child.status ?? 1);
