/** What package-lock.json says about the packages that ship. */
import { readFileSync } from 'node:fs';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-…` in base64, as npm checks it. */
  readonly integrity: string;
  readonly license: string | undefined;
  readonly optional: boolean;
}

interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Every package that is needed to run, the ones for other platforms included; development's own are left out. */
export function lockedPackages(): readonly LockedPackage[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockEntry> };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true)
    .map(([path, { version, integrity, license, optional }]) => {
      const name = path.slice('node_modules/'.length);
      if (name.includes('node_modules/')) throw new Error(`${path}: nested packages are not prepared for`);
      if (integrity === undefined) throw new Error(`${name}: no checksum in package-lock.json`);
      return { name, version, integrity, license, optional: optional === true };
    });
}

/** The version of the dev dependency `node`: what the program was tested with. */
export function lockedNodeVersion(): string {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockEntry> };
  return lock.packages['node_modules/node']!.version;
}
