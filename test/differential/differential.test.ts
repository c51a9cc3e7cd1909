/** Every scenario, live: HAProxy and Evergate side by side. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requirements.ts';
import { compare } from './compare.ts';
import { loadScenarios } from './load.ts';
import { observe } from './observe.ts';
import { evergate, haproxy } from './program.ts';

const skip = needs('linux', 'haproxy');

// Scripts mostly wait: a few at a time keep the run short, and timers within the tolerance.
describe('the same as HAProxy', { concurrency: 3 }, async () => {
  for (const [name, scenario] of await loadScenarios()) {
    test(`${name}: ${scenario.title}`, { skip, timeout: 60_000 }, async () => {
      const [reference, tested] = await Promise.all([observe(scenario, haproxy), observe(scenario, evergate)]);
      const verdict = compare(scenario, reference, tested, evergate.name);
      assert.ok(verdict.same, `\n${verdict.report}\n${tested.lines.length === 1 ? tested.output : ''}`);
    });
  }
});
