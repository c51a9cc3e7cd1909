import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDiagnostic, readLine } from './lexer.ts';

const variables = new Map([
  ['GREETING', 'hello world'],
  ['LIST', 'x y'],
]);

function words(text: string): readonly string[] | string {
  const line = readLine(text, 'f.cfg', 11, variables);
  return isDiagnostic(line) ? line.message : line.words.map((word) => word.text);
}

/** What HAProxy 2.6.12 made of these, seen in the header that a health check sent (`http-check send hdr X-W <word>`). */
const asHaproxy: readonly (readonly [string, string])[] = [
  [String.raw`one\ word`, 'one word'],
  [`'two words'`, 'two words'],
  [String.raw`"three \"q\""`, 'three "q"'],
  [`"$GREETING"`, 'hello world'],
  [`$GREETING`, '$GREETING'],
  [`'"$GREETING"'`, '"$GREETING"'],
  [`"'$GREETING'"`, "'hello world'"],
  [String.raw`a\"b\"'c'`, 'a"b"c'],
  [`a"b"'c'`, 'abc'],
  [String.raw`\x41\x42`, 'AB'],
  [String.raw`'\x41'`, String.raw`\x41`],
  [String.raw`back\\slash`, String.raw`back\slash`],
  [String.raw`\#`, '#'],
  [String.raw`'\n'`, String.raw`\n`],
  [String.raw`odd\q`, String.raw`odd\q`],
  [String.raw`"\1"`, String.raw`\1`],
  [String.raw`"\$x"`, '$x'],
  [String.raw`\$y`, String.raw`\$y`],
  [String.raw`"a\'b"`, "a'b"],
  [String.raw`\'x`, "'x"],
  [String.raw`'a\'`, 'a\\'],
  ['a\\', 'a\\'],
  ['a#b', 'a'],
  ['"a#b"', 'a#b'],
  ['"a  b"', 'a  b'],
  [`"\${MISSING-fallback}"`, 'fallback'],
  [`"\${MISSING-}z"`, 'z'],
  [`"\${GREETING-x y}"`, 'hello world'],
  [`"\${GREETING}"x`, 'hello worldx'],
  ['"$FOO-bar"', '-bar'],
  [`"\${.LINE}"`, '11'],
  ['"$.LINE"', '11'],
  ['"é"', 'é'],
];

for (const [written, expected] of asHaproxy)
  test(`${written} reads as HAProxy reads it`, () => assert.deepEqual(words(`hdr ${written}`), ['hdr', expected]));

test('a variable spread over words, and an empty one', () => {
  assert.deepEqual(words(`a b"\${LIST[*]}"c`), ['a', 'bx', 'yc']);
  assert.deepEqual(words('a "$NONE" b'), ['a', '', 'b']);
});

test('what HAProxy refuses is refused, with the position it names', () => {
  assert.equal(
    words(String.raw` http-check send hdr X-W "\x"`),
    'truncated or invalid hexadecimal sequence at position 27',
  );
  assert.equal(
    words(` http-check send hdr X-W "$1"`),
    'forbidden first char in environment variable name at position 28',
  );
  assert.equal(
    words(` http-check send hdr X-W "\${A.B}"`),
    'unmatched brace in environment variable name at position 28',
  );
  assert.equal(words(` x 'y`), 'unmatched quote at position 4');
  assert.match(String(words('w '.repeat(65))), /more than 64 words/);
});

test('every word keeps its place', () => {
  const line = readLine('\tserver  "a b"  c # d', 'f.cfg', 3, variables);
  assert.ok(!isDiagnostic(line));
  assert.deepEqual(
    line.words.map(({ text, place }) => [text, place.line, place.column, place.length]),
    [
      ['server', 3, 2, 6],
      ['a b', 3, 10, 5],
      ['c', 3, 17, 1],
    ],
  );
});

test('carriage returns and NUL end a line', () => {
  assert.deepEqual(words('mode http\r'), ['mode', 'http']);
  assert.deepEqual(words('mode\0http'), ['mode']);
});

test('any line gives words or one diagnostic whose place lies in it', () => {
  const piece = fc.constantFrom(
    '"',
    "'",
    '\\',
    '$',
    '{',
    '}',
    '[*]',
    '-',
    '#',
    ' ',
    '\t',
    'x',
    '4',
    'GREETING',
    '.',
    'a',
    'é',
    '\0',
    '\r',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (text) => {
        const line = readLine(text, 'f.cfg', 1, variables);
        const places = isDiagnostic(line) ? [line.place] : line.words.map((word) => word.place);
        for (const { column, length } of places) assert.ok(column >= 1 && column - 1 + length <= text.length + 4);
      },
    ),
  );
});
