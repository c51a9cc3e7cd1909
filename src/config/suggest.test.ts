import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggest } from './suggest.ts';

const known = ['interface', 'priority', 'state', 'advert_int', 'lvs_sync_daemon', 'auth_pass', 'auth_type'];

test('a slip finds the word that was meant', () => {
  assert.equal(suggest('inteface', known), 'interface');
  assert.equal(suggest('proirity', known), 'priority');
  assert.equal(suggest('STATE', known), 'state');
  assert.equal(suggest('auth_tpye', known), 'auth_type');
});

test('a different word finds none', () => {
  assert.equal(suggest('virtual_server', known), undefined);
  assert.equal(suggest('x', known), undefined);
  assert.equal(suggest('', known), undefined);
  assert.equal(suggest('interface'.repeat(1000), known), undefined);
});
