/** What `npm pack` makes must run on Node 26 without this repository. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

function run(cwd: string, program: string, ...argv: readonly string[]): string {
  const result = spawnSync(program, argv, { cwd, encoding: 'utf8', timeout: 240_000 });
  assert.equal(result.status, 0, `${program} ${argv.join(' ')}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

test('the packed program runs away from its repository', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-package-'));
  try {
    run(process.cwd(), 'npm', 'pack', '--silent', '--pack-destination', folder);
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    assert.ok(archive, 'npm pack made no archive');
    run(folder, 'tar', '-xzf', archive);
    const home = join(folder, 'package');
    // The dependencies as they would be installed: those that the lock file pins, taken from this checkout.
    for (const name of ['commander', 'koffi', '@koromix', 'yaml'])
      if (existsSync(join('node_modules', name)))
        cpSync(join('node_modules', name), join(home, 'node_modules', name), { recursive: true });
    const evergate = (...argv: readonly string[]) =>
      run(folder, 'env', `EVERGATE_NODE=${process.execPath}`, join(home, 'bin', 'evergate'), ...argv);
    assert.match(evergate('--version'), /^Evergate version \d+\.\d+\.\d+ \(commit [0-9a-f]{10}, Node v26\./);
    assert.match(evergate('--help'), /balance[\s\S]*vrrp[\s\S]*check/);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      'defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten web\n bind 127.0.0.1:18080\n server a 127.0.0.1:1\n',
    );
    assert.match(evergate('check', file), /HAProxy's configuration: valid/);
    assert.match(
      evergate('check', join(home, 'examples', 'keepalived-active.conf')),
      /Keepalived's configuration: valid/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
