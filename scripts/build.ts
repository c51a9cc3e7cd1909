/**
 * Makes `dist/`, what the published package runs: the sources with their types taken off, because Node does not strip types
 * below node_modules. What is below `src/` stands at the top of `dist/`; the simulator, which `evergate drill --simulate` plays in, stands
 * in `dist/sim/`, and the paths between the two are made to fit. The commit goes into `dist/commit`, for `evergate --version`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace(/package\.json$/, 'bin/tsc');
rmSync('dist', { recursive: true, force: true });
const compile = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (compile.status !== 0) process.exit(compile.status ?? 1);
/** Paths from one folder into the other, as they are below `dist/`. */
const moved = [
  { files: 'dist/made/src/**/*.js', from: /(['"])((?:\.\.\/)+)\.\.\/sim\//g, to: '$1$2sim/' },
  { files: 'dist/made/sim/**/*.js', from: /(['"])((?:\.\.\/)+)src\//g, to: '$1$2' },
];
for (const { files, from, to } of moved)
  for (const file of globSync(files)) writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
cpSync('dist/made/src', 'dist', { recursive: true });
cpSync('dist/made/sim', 'dist/sim', { recursive: true });
rmSync('dist/made', { recursive: true });
const git = spawnSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' });
writeFileSync('dist/commit', `${git.status === 0 ? git.stdout.trim() : 'unknown'}\n`);
