/**
 * `npm run release`: everything that one version ships, in `release/`:
 *
 *   evergate-V.tgz                      the npm package
 *   evergate-V-linux-{x64,arm64}.tar.gz the program with its Node inside: unpack and run, nothing else is needed
 *   evergate_V_{amd64,arm64}.deb        the same as a Debian package, with the systemd units
 *   evergate-V.cdx.json                 what is inside: a CycloneDX bill of materials
 *   SHA256SUMS                          of all of these
 *
 * The same commit gives the same bytes: times are the commit's, names are sorted, owners are nobody's.
 * `--arch x64` (again for more) makes only that architecture, `--out folder` puts the files elsewhere.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type Architecture, architectures } from './release/architectures.ts';
import { billOfMaterials } from './release/bill-of-materials.ts';
import { debianPackage } from './release/debian-package.ts';
import { stageProgram } from './release/program.ts';

const { values } = parseArgs({
  options: { arch: { type: 'string', multiple: true }, out: { type: 'string', default: 'release' } },
});
const wanted = (values.arch ?? Object.keys(architectures)).map(architectureNamed);
const out = resolve(values.out);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const name = `evergate-${version}`;
/** Seconds since 1970 of the commit that is released: the time of every file in the archives. */
const commitTime = Number(execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' }));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), 'evergate-release-'));
try {
  // `prepack` builds dist first. What it says is of interest only when it fails: then the error shows it.
  execFileSync('npm', ['pack', '--silent', '--pack-destination', out], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  for (const architecture of wanted) {
    const folder = join(stage, `${name}-linux-${architecture.node}`);
    stageProgram(join(out, `${name}.tgz`), folder, architecture);
    const archive = join(out, `${name}-linux-${architecture.node}.tar.gz`);
    execFileSync('tar', [
      ...['--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${commitTime}`],
      ...['--use-compress-program=gzip -6n', '--file', archive, '--directory', stage],
      `${name}-linux-${architecture.node}`,
    ]);
    debianPackage(folder, join(out, `evergate_${version}_${architecture.debian}.deb`), {
      version,
      architecture: architecture.debian,
      commitTime,
    });
    rmSync(folder, { recursive: true });
  }
  writeFileSync(join(out, `${name}.cdx.json`), `${JSON.stringify(billOfMaterials(wanted, commitTime), null, 2)}\n`);
  const sums: string[] = [];
  for (const file of readdirSync(out).sort()) sums.push(`${await sha256(join(out, file))}  ${file}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
} finally {
  rmSync(stage, { recursive: true, force: true });
}

function architectureNamed(word: string): Architecture {
  const architecture = architectures[word];
  if (architecture !== undefined) return architecture;
  process.stderr.write(`release: no architecture "${word}", only ${Object.keys(architectures).join(', ')}\n`);
  process.exit(1);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
