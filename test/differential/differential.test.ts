/** Every scenario, live: HAProxy and Evergate on each of its adapters side by side. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { needs } from '../requirements.ts';
import { contest } from './contest.ts';
import { loadScenarios } from './load.ts';
import { evergate } from './program.ts';

const skip = needs('linux', 'haproxy');
const noUring = skip !== false ? skip : (uringAvailable() ?? false);
const programs = noUring === false ? [evergate('net'), evergate('uring')] : [evergate('net')];

test('both adapters take part', { skip: noUring }, () => assert.equal(programs.length, 2));

// Scripts mostly wait: a few at a time keep the run short, and timers within the tolerance.
describe('the same as HAProxy', { concurrency: 3 }, async () => {
  for (const [name, scenario] of await loadScenarios())
    test(`${name}: ${scenario.title}`, { skip, timeout: 120_000 }, async (context) => {
      const { report, attempts } = await contest(scenario, programs);
      if (attempts > 1 && report === '') context.diagnostic(`the same at attempt ${attempts}`);
      assert.equal(report, '', `\n${report}`);
    });
});
