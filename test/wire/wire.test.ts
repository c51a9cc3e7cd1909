/** Every wire case of this folder, in virtual time: whole, and with everything cut into single bytes. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { parseWire, runWire } from './run.ts';

for (const file of globSync('test/wire/*.md').sort())
  for (const one of parseWire(readFileSync(file, 'utf8'))) {
    const cut = one.setup.wholeOnly === true ? [] : [1, 7];
    test(`${basename(file, '.md')}: ${one.name}`, () => {
      runWire(one);
      for (const size of cut) runWire(one, size);
    });
  }
