/** `evergate check`: several files in one run, each with everything that is wrong with it, from top to bottom. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaults, folderFor, program, write } from './loopback.ts';

const sound = `${defaults}
listen web\n bind 127.0.0.1:8080\n server s 127.0.0.1:8081\n`;
const bad = `frontend f\n bind :80\n default_backend nope\n colour red\n`;
const keepalived = `vrrp_instance a {\n interface eth0\n virtual_router_id 51\n prioritty 100\n}\n`;

function check(files: readonly string[], ...options: string[]) {
  const { status, stdout, stderr } = spawnSync(program, ['check', ...options, ...files], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('sound files: one line each, status 0', (t) => {
  const folder = folderFor(t);
  const files = [write(folder, 'a.cfg', sound), write(folder, 'b.cfg', sound)];
  const { status, stdout } = check(files);
  assert.equal(
    stdout,
    `${files.map((file) => `${file}: HAProxy's configuration: valid\n`).join('\n')}\nAll 2 files are valid.\n`,
  );
  assert.equal(status, 0);
});

test('each kind by itself, in the order of lines, and status 1', (t) => {
  const folder = folderFor(t);
  const files = [write(folder, 'bad.cfg', bad), write(folder, 'k.conf', keepalived), write(folder, 'a.cfg', sound)];
  const { status, stdout } = check([...files, join(folder, 'missing')]);
  assert.equal(status, 1);
  const places = [...stdout.matchAll(/parsing \[.*\/(\S+?:\d+)\]/g)].map((match) => match[1]);
  assert.deepEqual(places.slice(0, 2), ['bad.cfg:3', 'bad.cfg:4']);
  assert.ok(places.includes('k.conf:4'));
  assert.match(stdout, /did you mean 'priority'\?/);
  assert.match(stdout, /missing cannot be read: No such file or directory/);
  assert.match(stdout, /^3 of 4 files would be refused\.$/m);
});

test('--json: the same for programs', (t) => {
  const { status, stdout } = check([write(folderFor(t), 'bad.cfg', bad)], '--json');
  assert.equal(status, 1);
  const [result] = JSON.parse(stdout) as { kind: string; diagnostics: { code: string; place: { line: number } }[] }[];
  assert.equal(result!.kind, 'haproxy');
  assert.deepEqual(
    result!.diagnostics.map(({ code, place }) => [code, place.line]),
    [
      ['missing-reference', 3],
      ['unknown-word', 4],
    ],
  );
});
