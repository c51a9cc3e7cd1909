/** Waiting for what tells nobody that it has come: a file, an address, a process. */
import assert from 'node:assert/strict';

const lookMs = 10;

/** Resolves once `condition` holds; fails after `withinMs`. @param what for the message. */
export async function until(condition: () => boolean, withinMs: number, what = 'what was waited for'): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
