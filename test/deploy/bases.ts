/**
 * What the deployment tests start from, made once and kept: Debian roots, Compose and buildx, and a release of this checkout.
 * EVERGATE_TEST_CACHE names the folder; without it everything is made anew in the temporary folder of the run.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { undoAtExit } from './leftovers.ts';
import { must, runProgram } from './site.ts';

const cache = process.env['EVERGATE_TEST_CACHE'] ?? folderOfThisRun();

function folderOfThisRun(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-bases-'));
  undoAtExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What Debian's own slim images leave out. */
export const slim = [
  ...['doc', 'info', 'linda', 'lintian', 'locale', 'man'].map((it) => `--dpkgopt=path-exclude=/usr/share/${it}/*`),
  '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*',
];

/**
 * A minimal Debian 12 with these packages, as a tar archive.
 * @param options more words for mmdebstrap.
 * @returns its path.
 */
export async function debianRoot(
  name: string,
  packages: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const archive = join(cache, `${name}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  await run(
    'mmdebstrap',
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    ...options,
    'bookworm',
    `${archive}.part.tar`,
  );
  renameSync(`${archive}.part.tar`, archive);
  return archive;
}

/** Debian 13's Compose and buildx, which run on Debian 12 too. @returns the folder that holds both programs. */
export async function dockerPlugins(): Promise<string> {
  const folder = join(cache, 'plugins');
  if (!existsSync(folder)) await run('sh', new URL('plugins.sh', import.meta.url).pathname, folder);
  return folder;
}

/** A release of this checkout for this architecture, with its SHA256SUMS. @returns its folder. */
export async function releaseFolder(): Promise<string> {
  const folder = join(cache, 'release');
  if (existsSync(join(folder, 'SHA256SUMS'))) return folder;
  mkdirSync(folder, { recursive: true });
  const script = new URL('../../scripts/release.ts', import.meta.url).pathname;
  await run(process.execPath, script, '--arch', process.arch, '--out', folder);
  return folder;
}

async function run(...argv: string[]): Promise<void> {
  must(await runProgram(argv), argv);
}
