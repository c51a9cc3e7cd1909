/** The import rule of ARCHITECTURE.md: data flows down once, so imports do too; and the pure part stays pure. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** For each folder of src the folders (or files) it may import from. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  config: ['config', 'core'],
  plan: ['plan', 'config', 'core'],
  engine: ['engine', 'plan', 'core'],
  'engine/ports': ['engine/ports', 'core'],
  adapters: ['adapters', 'engine/ports', 'core'],
  dashboard: ['dashboard', 'engine/stats', 'core'],
  // The lab reads files as the commands do, and otherwise looks at the programs from outside.
  lab: ['lab', 'commands/balance/load', 'commands/vrrp-configuration', 'plan', 'config', 'core'],
};
const pure = ['core', 'config', 'plan', 'engine'];

/** Adapters may know the shape of what they carry out, as types only: `import type` from plan and engine. */
const typesOnly: Readonly<Record<string, readonly string[]>> = {
  adapters: ['engine', 'plan'],
  core: [],
};

function* imports(file: string): Generator<{ target: string; typeOnly: boolean }> {
  const text = readFileSync(file, 'utf8');
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm))
    yield { target: match[2] ?? '', typeOnly: match[1] !== undefined };
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    yield { target: match[1] ?? '', typeOnly: true };
}

for (const folder of Object.keys(mayImport)) {
  test(`src/${folder} imports only what is above it`, () => {
    for (const file of globSync(`src/${folder}/**/*.ts`)) {
      if (file.endsWith('.test.ts')) continue;
      for (const { target, typeOnly } of imports(file)) {
        if (!target.startsWith('.')) {
          assert.ok(!pure.includes(folder.split('/')[0]!), `${file} imports ${target}: ${folder} is pure`);
          continue;
        }
        const path = normalize(join(dirname(file), target)).replace(/^src\//, '');
        const allowed = [...(mayImport[folder] ?? []), ...(typeOnly ? (typesOnly[folder] ?? []) : [])];
        assert.ok(
          allowed.some((prefix) => path === `${prefix}.ts` || path.startsWith(`${prefix}/`)),
          `${file} imports ${target}: ${folder} may import from ${allowed.join(', ')}`,
        );
      }
    }
  });
}

test('time, chance and the system come in through ports only', () => {
  for (const file of globSync('src/{core,config,plan,engine}/**/*.ts')) {
    if (file.endsWith('.test.ts')) continue;
    const found =
      /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|process\.)/.exec(
        readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
      );
    assert.equal(found, null, `${file} uses ${found?.[0]}`);
  }
});
