/** The folder that runs anywhere: the npm package unpacked, the packages it needs, and Node, each checked against its published sum. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Architecture, nodeBinaries } from './architectures.ts';
import { lockedNodeVersion, lockedPackages } from './lock.ts';

/** koffi also carries what compiles it on platforms without a binary, and its manual. */
const koffiSources = /node_modules\/koffi\/(?:vendor|doc|lib)/;

/**
 * @param npmPackage the packed npm package.
 * @param folder made here; afterwards `folder/bin/evergate` runs on that architecture.
 * Throws when a download does not have the sum it was published with.
 */
export function stageProgram(npmPackage: string, folder: string, architecture: Architecture): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', npmPackage, '-C', folder, '--strip-components=1']);
  // An image can then be built from this folder with the same packages (deploy/docker/Dockerfile); npm leaves it out.
  cpSync('package-lock.json', join(folder, 'package-lock.json'));
  const modules = join(folder, 'node_modules');
  for (const { name, optional } of lockedPackages()) {
    if (optional) continue;
    cpSync(join('node_modules', name), join(modules, name), {
      recursive: true,
      filter: (path) => !koffiSources.test(path),
    });
  }
  stageKoffi(modules, architecture);
  stageNode(modules, architecture);
}

function stageKoffi(modules: string, { koffiPackage, node }: Architecture): void {
  const locked = lockedPackages().find(({ name }) => name === koffiPackage);
  if (locked === undefined) throw new Error(`${koffiPackage} is not in package-lock.json`);
  fetched(koffiPackage, locked.version, locked.integrity, (unpacked) => {
    cpSync(unpacked, join(modules, koffiPackage), {
      recursive: true,
      filter: (path) => !path.includes(`musl_${node}`),
    });
  });
}

function stageNode(modules: string, { nodePackage }: Architecture): void {
  if (lockedNodeVersion() !== nodeBinaries.version)
    throw new Error(
      `package-lock.json has Node ${lockedNodeVersion()}, scripts/release/architectures.ts ${nodeBinaries.version}: bring both to one`,
    );
  const integrity = nodeBinaries.integrity[nodePackage];
  if (integrity === undefined) throw new Error(`no checksum for ${nodePackage}`);
  fetched(nodePackage, nodeBinaries.version, integrity, (unpacked) => {
    // Where bin/evergate looks first.
    const home = join(modules, 'node');
    mkdirSync(join(home, 'bin'), { recursive: true });
    cpSync(join(unpacked, 'bin/node'), join(home, 'bin/node'));
    chmodSync(join(home, 'bin/node'), 0o755);
    cpSync(join(unpacked, 'LICENSE'), join(home, 'LICENSE'));
  });
}

/** Downloads a package with npm, checks its sum, and lends its unpacked folder. */
function fetched(name: string, version: string, integrity: string, use: (unpacked: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-fetch-'));
  try {
    const file = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`], {
      encoding: 'utf8',
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
    const path = join(folder, file);
    const found = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
    if (found !== integrity) throw new Error(`${name}@${version}: its sum is ${found}, expected ${integrity}`);
    execFileSync('tar', ['-xzf', path, '-C', folder]);
    use(join(folder, 'package'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
