import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../../test/requirements.ts';
import { programMappings, unwrittenMappings } from './process-memory.ts';

const module = fileURLToPath(new URL('process-memory.ts', import.meta.url));

/** What a fresh process says and has locked: after asking, after a load that makes V8 give back pages of code and of its heap, after undoing it. */
const program = `import { readFileSync } from 'node:fs';
import { keepInMemory } from ${JSON.stringify(module)};
const locked = () => Number(/^VmLck:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const said = keepInMemory(true);
const asked = locked();
let kept = [];
for (let i = 0; i < 300_000; i++) kept.push({ i, text: 'text ' + i });
for (let i = 0; i < 3_000; i++) for (let n = 0, f = new Function('x', 'return x * ' + i); n < (i % 30 === 0 ? 3_000 : 3); n++) f(n);
kept = [];
gc();
gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
const loaded = locked();
keepInMemory(false);
console.log(JSON.stringify({ said, asked, loaded, undone: locked() }));`;

function afterAsking(...before: readonly string[]): { said?: string; asked: number; loaded: number; undone: number } {
  const argv = [...before, process.execPath, '--expose-gc', '--input-type=module', '-e', program];
  return JSON.parse(execFileSync(argv[0]!, argv.slice(1), { encoding: 'utf8' }));
}

test('the program stays in memory, while V8 can go on giving back its own', { skip: needs('linux', 'root') }, () => {
  const { said, asked, loaded, undone } = afterAsking();
  const textKib = [...readFileSync('/proc/self/smaps', 'utf8').matchAll(/ r-xp [^\n]*\/[^\n]*\nSize:\s+(\d+)/g)].reduce(
    (sum, [, size]) => sum + Number(size),
    0,
  );
  assert.ok(asked > textKib, `${asked} KiB locked, of ${textKib} KiB of text`);
  assert.ok(loaded >= asked - 1024);
  assert.equal(undone, 0);
  if (said !== undefined) assert.match(said, /MemorySwapMax=0/);
});

test('who may lock nothing goes on, and says what helps', { skip: needs('linux', 'root') }, () => {
  const unprivileged = ['setpriv', '--inh-caps=-all', '--bounding-set=-all', '--reuid=65534', '--clear-groups'];
  const { said, asked } = afterAsking('prlimit', '--memlock=8388608', ...unprivileged);
  assert.match(said ?? '', /Unable to lock process in memory - ENOMEM: .*CAP_IPC_LOCK.*LimitMEMLOCK=infinity/);
  assert.equal(asked, 0);
});

test('mappings of files, of the C heap and the stack; none that V8 made', () => {
  const maps = `00400000-00aa2000 r--p 00000000 fe:00 37 /usr/bin/node
0e000000-0e100000 rw-p 00000000 00:00 0                                  [heap]
15df4ba40000-15df4ba80000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 rw-s 00000000 00:01 5 /dev/zero (deleted)
7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0                          [stack]
7ffe00030000-7ffe00032000 r-xp 00000000 00:00 0                          [vdso]
`;
  assert.deepEqual(
    programMappings(maps).map(({ start }) => start.toString(16)),
    ['400000', 'e000000', '7ffe00000000'],
  );
});

test('what the start needed is let go, and nothing is lost with it', { skip: needs('linux') }, () => {
  const program = `import { readFileSync } from 'node:fs';
import { releaseProgram } from ${JSON.stringify(module)};
const resident = () => Number(/^RssFile:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const before = resident();
releaseProgram();
const after = resident();
const text = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeZone: 'UTC' }).format(0) + /b+/.exec('abbb')[0];
console.log(JSON.stringify({ before, after, text }));`;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const { before, after, text } = JSON.parse(told);
  assert.ok(after < before / 2, `${before} KiB of files before, ${after} after`);
  assert.equal(text, 'Thursday, January 1, 1970bbb');
});

test('a mapping that can be written, or of which a page was, is kept', () => {
  const one = (rights: string, name: string, anonymous: number) =>
    `00400000-00500000 ${rights} 00000000 fe:00 37 ${name}\nRss: 8 kB\nAnonymous:         ${anonymous} kB\nVmFlags: rd\n`;
  const kept =
    one('r--p', '/usr/lib/libc.so.6', 16) +
    one('rw-p', '/usr/bin/node', 0) +
    one('r-xp', '[vdso]', 0) +
    one('r--s', '/usr/lib/cache', 0);
  assert.deepEqual(unwrittenMappings(kept), []);
  assert.deepEqual(unwrittenMappings(kept + one('r-xp', '/usr/bin/node', 0)), [{ start: 0x400000, end: 0x500000 }]);
});
