/** The byte path makes next to no garbage: what one request on a kept connection may allocate, all that is the proxy's counted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Some boxed times, most of them this program's own; a single view of bytes (about 104 bytes) a request is above it. */
const bytesMax = 90;

test(`a request allocates at most ${bytesMax} bytes`, { timeout: 60_000 }, (context) => {
  const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64', '--no-warnings'];
  const program = fileURLToPath(new URL('./allocations.ts', import.meta.url));
  const bytes = Number(execFileSync(process.execPath, [...flags, program], { encoding: 'utf8' }));
  context.diagnostic(`${bytes} bytes a request`);
  assert.ok(bytes >= 0 && bytes <= bytesMax, `${bytes} bytes a request`);
});
