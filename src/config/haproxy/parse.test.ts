import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bindKeywords } from './keywords-bind.ts';
import { serverKeywords } from './keywords-server.ts';
import { parseHaproxy } from './parse.ts';
import { globalTable, proxyTable, resolversTable } from './table.ts';

function parse(...texts: readonly string[]) {
  return parseHaproxy(
    texts.map((text, index) => ({ path: `${index + 1}.cfg`, text })),
    [['HOME', '/root']],
  );
}

test('each file begins outside of any section, as in HAProxy, but defaults go on', () => {
  const { config, diagnostics } = parse('defaults\n mode http\n', 'timeout client 1s\nlisten x\n bind :80\n');
  assert.deepEqual(
    diagnostics.map(({ place, code }) => [place.file, place.line, code]),
    [['2.cfg', 1, 'unknown-section']],
  );
  assert.equal(config.proxies[0]!.base!.settings.mode!.value, 'http');
});

test('setenv counts from the next line on; unsetenv and resetenv take away', () => {
  const text =
    'global\n setenv A one\n presetenv A two\n node "$A"\n resetenv HOME\n log-tag "$A-$HOME"\n unsetenv HOME\n pidfile "$HOME/x"\n';
  const { config, diagnostics } = parse(text);
  assert.deepEqual(diagnostics, []);
  assert.equal(config.global.node!.value, 'one');
  assert.equal(config.global.logTag!.value, '-/root');
  assert.equal(config.global.pidfile!.value, '/x');
});

test('log global takes the lines that global has at that moment', () => {
  const { config } = parse('global\n log 192.0.2.1 local0\ndefaults\n log global\nglobal\n log 192.0.2.2 local0\n');
  const log = parse('global\n log 192.0.2.1 local0\nlisten x\n log global\n').config.proxies[0]!.settings.logs;
  assert.equal(config.global.logs.length, 2);
  assert.equal(log[0]!.kind === 'global' && log[0]!.count, 1);
});

test('several unsupported words in one file are each named once', () => {
  const { diagnostics } = parse('listen x\n acl a path /\n stats enable\n bind :80 ssl crt /x\n cookie S insert\n');
  assert.deepEqual(
    diagnostics.map(({ code, place }) => `${code} ${place.line}`),
    ['unsupported-word 2', 'unsupported-word 3', 'unsupported-word 4', 'unsupported-word 4', 'unsupported-word 5'],
  );
});

test('a row of the table reads its word exactly when it is supported, and has a meaning', () => {
  const rows = [...globalTable.rows(), ...proxyTable.rows(), ...resolversTable.rows()];
  for (const row of [...rows, ...bindKeywords, ...serverKeywords]) {
    assert.equal(row.read !== undefined, row.support.kind === 'yes', row.word);
    assert.ok(row.meaning.length > 0, row.word);
  }
  for (const row of rows) assert.ok(row.sections.length > 0, row.word);
  for (const rowsOfLine of [bindKeywords, serverKeywords])
    assert.equal(new Set(rowsOfLine.map(({ word }) => word)).size, rowsOfLine.length, 'no argument twice');
});

/** Runs by default for a second or two; EVERGATE_FUZZ_RUNS=100000 for longer. */
const fuzzRuns = Number(process.env['EVERGATE_FUZZ_RUNS'] ?? 2000);

test('any text gives a Config and diagnostics within the text, and ends', () => {
  const tables = [globalTable, proxyTable, resolversTable];
  const keywords = tables.flatMap((table) => [...table.rows()].map((row) => row.word));
  const argumentWords = [...bindKeywords, ...serverKeywords].map((row) => row.word);
  const sections = [
    'global',
    'defaults',
    'defaults d',
    'frontend f',
    'backend b from d',
    'listen l',
    'resolvers r',
    'peers p',
    '.if 1',
  ];
  const values = [
    '',
    '0',
    '1',
    '-1',
    '10s',
    'x',
    '127.0.0.1:80',
    ':::80',
    '1-3',
    'on',
    'if',
    '"',
    '\\',
    '!',
    'status',
    '200',
    '*',
    '%[src]',
    '4294967296',
    'no',
  ];
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...values) },
    { weight: 2, arbitrary: fc.constantFrom(...argumentWords) },
    { weight: 1, arbitrary: fc.string() },
  );
  const line = fc
    .tuple(
      fc.constantFrom('', 'no ', 'default '),
      fc.constantFrom(...keywords, ...sections, 'option', 'x'),
      fc.array(word, { maxLength: 6 }),
    )
    .map(([prefix, keyword, rest]) => `${prefix}${keyword} ${rest.join(' ')}`);
  const section = fc
    .tuple(fc.constantFrom(...sections), fc.array(line, { maxLength: 8 }))
    .map(([head, lines]) => [head, ...lines].join('\n'));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(section, { maxLength: 4 }).map((all) => `${all.join('\n')}\n`),
      ),
      (text) => {
        const { diagnostics } = parse(text);
        const lines = text.split('\n').length;
        for (const { place, message } of diagnostics) {
          assert.ok(place.line >= 1 && place.line <= lines, message);
          assert.ok(message.length > 0);
        }
      },
    ),
    { numRuns: fuzzRuns },
  );
});
