/** What `evergate --version` tells. The commit is known in a checkout, and written into the package when it is built. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function commit(): string {
  try {
    return readFileSync(join(home, 'dist', 'commit'), 'utf8').trim();
  } catch {
    const git = spawnSync('git', ['-C', home, 'rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' });
    return git.status === 0 ? git.stdout.trim() : 'unknown';
  }
}

/** Of the package. */
export function versionNumber(): string {
  return (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version;
}

/** One line: version, commit, Node. */
export function versionShort(): string {
  return `Evergate version ${versionNumber()} (commit ${commit()}, Node ${process.version})`;
}

/** `-vv`: what the parts are, too. */
export function versionLong(): string {
  const { v8, uv } = process.versions;
  return `${versionShort()}
Running on ${process.platform} ${process.arch}, V8 ${v8}, libuv ${uv}
Speaks HTTP/1.1 (RFC 9112), VRRP versions 2 and 3 (RFC 3768, RFC 9568)
Reads the languages of HAProxy 2.6 and Keepalived 2.2; see docs/keywords-haproxy.md and docs/keywords-keepalived.md
`;
}
