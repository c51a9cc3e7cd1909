/**
 * Makes `dist/`, what the published package runs: the sources with their types taken off, because Node does not strip types
 * below node_modules. The commit goes into `dist/commit`, for `evergate --version`.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');
rmSync('dist', { recursive: true, force: true });
const compile = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (compile.status !== 0) process.exit(compile.status ?? 1);
const git = spawnSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' });
writeFileSync('dist/commit', `${git.status === 0 ? git.stdout.trim() : 'unknown'}\n`);
