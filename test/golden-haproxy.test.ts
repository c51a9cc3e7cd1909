/**
 * Golden files: each `golden/haproxy/NAME.cfg` has `NAME.expected` beside it: the diagnostics as the user reads them, and below them the Plan.
 * `EVERGATE_GOLDEN=write node test/run.ts golden-haproxy` writes them anew; read the difference before committing it.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { parseHaproxy } from '../src/config/haproxy/parse.ts';
import { renderDiagnostics, sourceLines } from '../src/config/render.ts';
import type { BalancerWorld } from '../src/plan/balancer-world.ts';
import { buildBalancerPlan } from '../src/plan/build-balancer.ts';

const folder = new URL('golden/haproxy/', import.meta.url).pathname;

const world: BalancerWorld = {
  hostname: 'testhost',
  processors: 2,
  addresses: new Map([
    [
      'app.example',
      [
        { family: 'ipv4', host: '192.0.2.80' },
        { family: 'ipv6', host: '2001:db8::80' },
      ],
    ],
    ['app', [{ family: 'ipv4', host: '192.0.2.81' }]],
  ]),
  readFile: () => 'No such file or directory',
  userId: () => undefined,
  groupId: (name) => (name === 'www-data' ? 33 : undefined),
};

/** What was not configured says nothing: fields with these values are left out of the expected Plan. */
function withoutEmpty(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array)
    return key === 'request' && value.length === 0 ? undefined : Buffer.from(value).toString('latin1');
  if (value instanceof Map) return value.size === 0 ? undefined : Object.fromEntries(value);
  if (value === false || value === '' || value === null) return undefined;
  if (Array.isArray(value) && (value.length === 0 || value.every((one) => one === undefined))) return undefined;
  return value;
}

for (const path of globSync(`${folder}*.cfg`).sort()) {
  const name = basename(path, '.cfg');
  test(`golden haproxy: ${name}`, () => {
    const file = { path: `${name}.cfg`, text: readFileSync(path, 'utf8') };
    const { config, diagnostics } = parseHaproxy([file], [['LIST', 'x y z']]);
    const built = buildBalancerPlan(config, world);
    const told = renderDiagnostics([...diagnostics, ...built.diagnostics], {
      colours: false,
      sourceLine: sourceLines([file]),
    });
    const descriptions = config.proxies.flatMap(({ settings }) => settings.description?.value ?? []);
    const plan = built.plan === undefined ? '(no plan)\n' : `${JSON.stringify(built.plan, withoutEmpty, 1)}\n`;
    const actual = `${told}${descriptions.map((one) => `description: ${JSON.stringify(one)}\n`).join('')}${plan}`;
    const expectedPath = path.replace(/cfg$/, 'expected');
    if (process.env['EVERGATE_GOLDEN'] === 'write') writeFileSync(expectedPath, actual);
    assert.equal(actual, readFileSync(expectedPath, 'utf8'));
  });
}
