import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from './diagnostic.ts';
import { diagnosticsJson, renderDiagnostic, sourceLines } from './render.ts';

const text = 'global\n\tmaxcon 10\n';
const diagnostic: Diagnostic = {
  severity: 'alert',
  code: 'unknown-word',
  place: { file: 'a.cfg', line: 2, column: 2, length: 6 },
  message: "unknown keyword 'maxcon' in 'global' section.",
  hint: "did you mean 'maxconn'?",
};
const sourceLine = sourceLines([{ path: 'a.cfg', text }]);

test('a diagnostic reads as HAProxy writes it, with the word underlined and the remedy below', () => {
  assert.equal(
    renderDiagnostic(diagnostic, { pid: 7, colours: false, sourceLine }),
    `[ALERT]    (7) : config : parsing [a.cfg:2] : unknown keyword 'maxcon' in 'global' section.
     maxcon 10
     ^^^^^^
    hint: did you mean 'maxconn'?
`,
  );
});

test('without a line, a source or a hint only the message is left', () => {
  const bare: Diagnostic = {
    severity: 'warning',
    code: 'incomplete',
    place: { ...diagnostic.place, line: 0 },
    message: 'nothing to do',
  };
  assert.equal(renderDiagnostic(bare, { colours: false, sourceLine }), '[WARNING]  : config : nothing to do\n');
});

test('a word far to the right of a long line stays in view, and control characters do not reach the terminal', () => {
  const long = `server ${'x'.repeat(300)} \x1b[31mbad`;
  const column = long.indexOf('bad') + 1;
  const rendered = renderDiagnostic(
    { ...diagnostic, place: { file: 'b', line: 1, column, length: 3 } },
    { colours: false, sourceLine: () => long },
  ).split('\n');
  const at = rendered[2]!.indexOf('^^^');
  assert.equal(rendered[1]!.slice(at, at + 3), 'bad');
  assert.ok(!rendered[1]!.includes('\x1b'));
});

test('colours wrap the severity only when asked for', () => {
  assert.ok(renderDiagnostic(diagnostic, { colours: true, sourceLine }).startsWith('\x1b[1;31m[ALERT]'));
});

test('JSON carries every field', () => {
  assert.deepEqual(JSON.parse(diagnosticsJson([diagnostic])), [diagnostic]);
});
