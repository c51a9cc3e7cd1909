/** `docs/keywords-haproxy.md` says what the table says. `EVERGATE_GOLDEN=write` writes it anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { keywordReference } from '../src/config/haproxy/reference.ts';

const page = new URL('../docs/keywords-haproxy.md', import.meta.url);

test('the page of keywords is the table of keywords', () => {
  if (process.env['EVERGATE_GOLDEN'] === 'write') writeFileSync(page, keywordReference());
  assert.equal(readFileSync(page, 'utf8'), keywordReference());
});
