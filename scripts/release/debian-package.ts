/** The program's folder as a Debian package: it goes to /usr/lib/evergate, with the units, a user of its own and a manual's worth of documents. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DebianOptions {
  readonly version: string;
  /** Debian's name of the architecture. */
  readonly architecture: string;
  /** Seconds since 1970: the time of every file inside. */
  readonly commitTime: number;
}

const units = ['evergate.service', 'evergate-balance.service', 'evergate-vrrp.service'] as const;

/** @param program the staged folder. @param file the package to make. Needs dpkg-deb. */
export function debianPackage(program: string, file: string, options: DebianOptions): void {
  const root = mkdtempSync(join(tmpdir(), 'evergate-deb-'));
  try {
    chmodSync(root, 0o755);
    for (const folder of ['DEBIAN', 'usr/bin', 'usr/lib', 'lib/systemd/system', 'usr/lib/sysusers.d', 'etc/evergate'])
      mkdirSync(join(root, folder), { recursive: true });
    cpSync(program, join(root, 'usr/lib/evergate'), { recursive: true });
    symlinkSync('../lib/evergate/bin/evergate', join(root, 'usr/bin/evergate'));
    for (const unit of units) cpSync(join('deploy/systemd', unit), join(root, 'lib/systemd/system', unit));
    cpSync('deploy/systemd/evergate.sysusers', join(root, 'usr/lib/sysusers.d/evergate.conf'));
    const documents = join(root, 'usr/share/doc/evergate');
    mkdirSync(documents, { recursive: true });
    writeFileSync(join(documents, 'copyright'), copyright());
    symlinkSync('../../../lib/evergate/docs', join(documents, 'docs'));
    symlinkSync('../../../lib/evergate/examples', join(documents, 'examples'));
    const control = join(root, 'DEBIAN');
    writeFileSync(join(control, 'control'), controlFile(options, kibibytes(root)));
    for (const [name, text] of Object.entries(scripts)) {
      writeFileSync(join(control, name), text);
      chmodSync(join(control, name), 0o755);
    }
    plainModes(root);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', root, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(options.commitTime) },
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function controlFile({ version, architecture }: DebianOptions, installedKibibytes: number): string {
  return `Package: evergate
Version: ${version}
Architecture: ${architecture}
Maintainer: Evergate maintainers <maintainers@evergate.invalid>
Installed-Size: ${installedKibibytes}
Depends: libc6 (>= 2.28), libstdc++6, libatomic1, systemd
Suggests: haproxy, keepalived
Section: net
Priority: optional
Description: high-availability load balancer
 Reads the haproxy.cfg and keepalived.conf that people have, spreads HTTP and TCP
 traffic over servers, and moves a virtual address to the standby balancer before
 anyone notices that the active one died. Its Node.js comes with it.
`;
}

/**
 * Nothing is started by installing: a node without its configuration has nothing to serve, and when a node of a cluster restarts is the
 * operator's decision (docs/operating.md, upgrade).
 */
const scripts: Readonly<Record<string, string>> = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers evergate.conf
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ${units.join(' ')} || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ "$1" != upgrade ]; then rm -rf /run/evergate /run/evergate-vrrp; fi
if [ "$1" = purge ]; then
  rm -rf /etc/evergate
  if getent passwd evergate >/dev/null; then userdel evergate || true; fi
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
`,
};

function copyright(): string {
  return `Evergate is licensed under the Apache License 2.0 (/usr/lib/evergate/LICENSE).
The package also holds Node.js (/usr/lib/evergate/node_modules/node/LICENSE) and the npm packages below
/usr/lib/evergate/node_modules, each with its own licence beside it.
${readFileSync('LICENSE', 'utf8').split('\n').slice(0, 3).join('\n')}
`;
}

function kibibytes(folder: string): number {
  return Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
}

/** Folders 755, programs 755, everything else 644: what the builder's umask was must not matter. */
function plainModes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) {
      chmodSync(path, 0o755);
      plainModes(path);
    } else if (!path.includes('/DEBIAN/')) chmodSync(path, /\/bin\/[^/]+$/.test(path) ? 0o755 : 0o644);
  }
}
