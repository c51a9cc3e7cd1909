/** The file that hand-overs outlive the daemon in. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { handoverFile } from './handover-file.ts';

const kept = [{ router: 'VI_1', sinceWallMs: 1_700_000_000_000 }];

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'evergate-handover-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('what is saved is loaded by the next process, and nothing leaves no file', (t) => {
  const path = folder(t);
  const file = () => handoverFile('@evergate-vrrp', join(path, 'run'));
  assert.deepEqual(file().load(), []);
  assert.equal(file().save(kept), undefined);
  assert.deepEqual(file().load(), kept);
  const [name = ''] = readdirSync(join(path, 'run'));
  assert.match(name, /^evergate-vrrp\.\d+\.handover$/);
  assert.equal(statSync(join(path, 'run', name)).mode & 0o777, 0o600);
  assert.equal(file().save([]), undefined);
  assert.deepEqual(readdirSync(join(path, 'run')), []);
});

test('a socket with a path has the file beside it', (t) => {
  const path = folder(t);
  handoverFile(join(path, 'node-vrrp'), '/nowhere').save(kept);
  assert.deepEqual(readdirSync(path), ['node-vrrp.handover']);
});

test('what nobody wrote as we do counts as nothing', (t) => {
  const path = folder(t);
  const file = handoverFile(join(path, 'node'));
  for (const text of ['', '{', '7', 'null', '[null, 3, {"router": 1}]', '{"router":"VI_1","sinceWallMs":1}']) {
    writeFileSync(join(path, 'node.handover'), text);
    assert.deepEqual(file.load(), [], text);
  }
});

test('a folder that cannot be is a failure in words', (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), '');
  assert.match(
    handoverFile('@evergate', join(path, 'file')).save(kept) ?? '',
    /evergate\.\d+\.handover: (ENOTDIR|EEXIST)/,
  );
});
