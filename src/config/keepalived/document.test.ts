import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { keywordsDocument } from './document.ts';
import { blockNames, findKeyword, keywordsOf } from './keywords.ts';

const path = new URL('../../../docs/keywords-keepalived.md', import.meta.url);

test('docs/keywords-keepalived.md is what the table says (EVERGATE_UPDATE_GOLDEN=1 writes it anew)', () => {
  if (process.env['EVERGATE_UPDATE_GOLDEN'] === '1') writeFileSync(path, keywordsDocument());
  assert.equal(readFileSync(path, 'utf8'), keywordsDocument());
});

test('each word has one row in its block, a meaning, and says what to do instead where it is refused', () => {
  for (const block of blockNames)
    for (const keyword of keywordsOf(block)) {
      assert.equal(findKeyword(block, keyword.word), keyword, `${block} ${keyword.word} stands twice`);
      assert.notEqual(keyword.meaning, '');
      assert.equal(keyword.support === 'supported', keyword.instead === undefined, keyword.word);
      if (keyword.sameAs !== undefined) assert.ok(findKeyword(block, keyword.sameAs) !== undefined, keyword.word);
    }
});
