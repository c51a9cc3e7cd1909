// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is how keepalived.conf writes definitions
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../diagnostic.ts';
import { expandBraces } from './include.ts';
import { parseKeepalived } from './parse.ts';
import { type KeepalivedEnvironment, readLines, type SourceFile } from './source.ts';

function read(text: string, others: Readonly<Record<string, string>> = {}, extra: Partial<KeepalivedEnvironment> = {}) {
  const diagnostics: Diagnostic[] = [];
  const readFiles = (pattern: string): SourceFile[] =>
    Object.entries(others)
      .filter(([path]) => path === pattern || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))))
      .map(([path, content]) => ({ path, text: content }));
  const lines = readLines([{ path: 'main/k.conf', text }], { configId: 'main', readFiles, ...extra }, diagnostics);
  return { lines: lines.map((line) => line.text), placed: lines, diagnostics };
}

test('the manual’s late substitution: the value is looked at when it is used', () => {
  const text = '$BASE=10.2.${SUB}\n$SUB=0\n${BASE}.100/32\n$SUB=10\n${BASE}.100/32';
  assert.deepEqual(read(text).lines, ['10.2.0.100/32', '10.2.10.100/32']);
});

test('a name that is not defined stays, and $NAME counts only before a blank', () => {
  assert.deepEqual(read('$A=1\nx $A.y ${B} $A').lines, ['x $A.y ${B} 1']);
});

test('what is put in points at the place where it is used', () => {
  const { placed } = read('$A=longer\nx ${A} y');
  assert.equal(placed[0]!.text, 'x longer y');
  assert.equal(placed[0]!.columns![2], 3);
  assert.equal(placed[0]!.columns![9], 8);
});

test('lines of a several-line definition keep their own places', () => {
  const { placed } = read('$A= \\\none \\\ntwo\n$A');
  assert.deepEqual(
    placed.map((line) => [line.text, line.line]),
    [
      ['one', 2],
      ['two', 3],
    ],
  );
});

test('@id lines: kept, dropped, negated, and with a definition', () => {
  assert.deepEqual(read('@main a\n@other b\n@^main c\n@^other d\n@main $P=5\n@other $P=6\np $P').lines, [
    'a',
    'd',
    'p 5',
  ]);
  assert.deepEqual(read('@other $P= \\\n x \\\n y\nz').lines, ['z'], 'a dropped definition takes its lines with it');
});

test('the predefined names', () => {
  assert.deepEqual(read('a ${_PWD} ${_INSTANCE} ${_HASH} ${_BANG}').lines, ['a main main \\# \\!']);
  assert.deepEqual(read('a ${_RANDOM 3 9}', {}, { random: (min, max) => min * 100 + max }).lines, ['a 309']);
});

test('~SEQ and ~LST as in the manual', () => {
  assert.deepEqual(read('~SEQ(S, 0, 3) 10.0.${S}.1').lines, ['10.0.0.1', '10.0.1.1', '10.0.2.1', '10.0.3.1']);
  assert.deepEqual(read('~SEQx(S, 0x90, 0x10, 0xc0) fe80::${S}').lines, [
    'fe80::90',
    'fe80::a0',
    'fe80::b0',
    'fe80::c0',
  ]);
  assert.deepEqual(read('~SEQ(S, -2) a${S}').lines, ['a-1', 'a-2']);
  assert.deepEqual(read('~LST({A, B}, {10,1},{20,4}) ~SEQ(C,168,2,170) ${C}.${A}.${B}').lines, [
    '168.10.1',
    '170.10.1',
    '168.20.4',
    '170.20.4',
  ]);
});

test('include: patterns, places, depth, and what matches nothing', () => {
  const { placed } = read('a\ninclude d/*\nz', { 'd/1': 'one\n', 'd/2': 'two' });
  assert.deepEqual(
    placed.map((line) => [line.file, line.line, line.text]),
    [
      ['main/k.conf', 1, 'a'],
      ['d/1', 1, 'one'],
      ['d/2', 1, 'two'],
      ['main/k.conf', 3, 'z'],
    ],
  );
  assert.deepEqual(
    read('include gone\nincludea gone*').diagnostics.map((each) => each.severity),
    ['warning', 'alert'],
  );
  const endless = read('include self', { self: 'include self\n' });
  assert.match(endless.diagnostics[0]!.message, /deep/);
});

test('a definition that contains itself ends with an alert', () => {
  const { diagnostics } = read('$A=x ${A}\n$A');
  assert.equal(diagnostics.length, 1);
  assert.match(diagnostics[0]!.message, /without end/);
});

test('what each variant of include must find, as keepalived -t answers', () => {
  const there = { 'd/one': 'one' };
  const outcome = (pattern: string, found = there) =>
    ['include', 'includer', 'includem', 'includew', 'includeb', 'includea']
      .filter((word) => {
        const readFiles = (wanted: string) =>
          wanted === 'folder'
            ? [{ path: 'folder', problem: 'not a file' }]
            : expandBraces(wanted).flatMap((each) => (each in found ? [{ path: each, text: 'one' }] : []));
        return read(`${word} ${pattern}`, {}, { readFiles }).diagnostics.some(({ severity }) => severity === 'alert');
      })
      .join(' ');
  assert.equal(outcome('d/one'), '');
  assert.equal(outcome('gone'), 'includem includew includea');
  assert.equal(outcome('gone*'), 'includew includea');
  assert.equal(outcome('{d/one,gone}'), 'includeb includea');
  assert.equal(outcome('{d/one,gone*}'), '');
  assert.equal(outcome('folder'), 'includer includem includew includeb includea');
});

test('include_check holds for what follows in its file and in what that includes', () => {
  const severities = (text: string, others: Readonly<Record<string, string>> = {}) =>
    read(text, others).diagnostics.map(({ severity, place }) => `${place.file}:${place.line} ${severity}`);
  assert.deepEqual(severities('include gone\ninclude_check match\ninclude gone\ninclude gone*'), [
    'main/k.conf:1 warning',
    'main/k.conf:3 alert',
    'main/k.conf:4 warning',
  ]);
  assert.deepEqual(severities('include_check\ninclude gone*'), ['main/k.conf:2 alert']);
  assert.deepEqual(
    severities(
      'include_check\ninclude_check -wildcard_match\ninclude gone*\ninclude gone\ninclude_check readable\ninclude gone',
    ),
    ['main/k.conf:3 warning', 'main/k.conf:4 alert', 'main/k.conf:6 warning'],
  );
  assert.deepEqual(
    severities('include_check match\ninclude inner\ninclude gone', {
      inner: 'include gone\ninclude_check readable\ninclude gone',
    }),
    ['inner:1 alert', 'inner:3 warning', 'main/k.conf:3 alert'],
  );
  assert.deepEqual(severities('include_check +other match\ninclude gone'), [
    'main/k.conf:1 warning',
    'main/k.conf:2 alert',
  ]);
});

test('braces as csh expands them', () => {
  assert.deepEqual(expandBraces('{foo/{,cat,dog},bar}'), ['foo/', 'bar', 'foo/cat', 'foo/dog']);
  assert.deepEqual(expandBraces('a*'), ['a*']);
  assert.deepEqual(expandBraces('{a,b}'.repeat(40)), ['{a,b}'.repeat(40)], 'not a million files');
});

test('${_ENV NAME}: what is put in is no comment, and what is not set stays', () => {
  const variable = (name: string) => ({ SECRET: 'a#b!c' })[name];
  assert.deepEqual(read('auth_pass ${_ENV SECRET}', {}, { variable }).lines, ['auth_pass a\\#b\\!c']);
  assert.deepEqual(read('x ${_ENV OTHER} ${_RANDOM a}', {}, { variable }).lines, ['x ${_ENV OTHER} ${_RANDOM a}']);
  const parsed = parseKeepalived([{ path: 'k.conf', text: '${_ENV OTHER}' }], {
    configId: 'main',
    readFiles: () => [],
  });
  assert.match(parsed.diagnostics[0]!.hint!, /Environment=/, 'not $NAME=value');
});
