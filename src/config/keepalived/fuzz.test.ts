// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is how keepalived.conf writes definitions
/** The whole way from text to plan never throws, always ends, and points only at places that exist. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildVrrpPlan } from '../../plan/build-vrrp.ts';
import { blockNames, keywordsOf } from './keywords.ts';
import { parseKeepalived } from './parse.ts';

const runs = Number(process.env['EVERGATE_FUZZ_RUNS'] ?? '400');
const vocabulary = [...new Set(blockNames.flatMap((block) => keywordsOf(block).map((keyword) => keyword.word)))];

const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...vocabulary) },
  fc.constantFrom(
    '{',
    '}',
    '"',
    "'",
    '\\',
    '#',
    '!',
    '$A',
    '${A}',
    '$A=',
    '@lb1',
    '@^lb1',
    '~SEQ(A,1,9)',
    '~LST(A,1,2)',
  ),
  fc.constantFrom(
    '10.0.0.1/24',
    'fe80::1',
    'eth0',
    'dev',
    'brd',
    '+',
    'weight',
    'reverse',
    'via',
    'table',
    'from',
    'PASS',
  ),
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
const anyText = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n'));
/** Mostly well-formed, so that the plan's builder gets work to do. */
const instance = fc.array(fc.tuple(fc.constantFrom(...keywordsOf('vrrp_instance').map((each) => each.word)), line), {
  maxLength: 12,
});
const instanceText = instance.map(
  (lines) =>
    `vrrp_instance V {\n interface eth0\n virtual_router_id 1\n${lines
      .map(([first, rest]) => ` ${first} ${rest}`)
      .join('\n')}\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n`,
);

function load(text: string): void {
  const parsed = parseKeepalived([{ path: 'f', text }], { configId: 'lb1', readFiles: () => [], random: (min) => min });
  const built = buildVrrpPlan(parsed.config, { hostname: 'lb1' });
  const lines = text.split('\n').length;
  for (const { place, message } of [...parsed.diagnostics, ...built.diagnostics])
    assert.ok(place.line >= 1 && place.line <= lines && place.column >= 1 && place.length >= 0, message);
}

test('any text', () => {
  fc.assert(fc.property(fc.oneof(anyText, instanceText, fc.string({ unit: 'binary', maxLength: 400 })), load), {
    numRuns: runs,
  });
});
