/** A change can't make messages allocate unseen: bytes on the heap don't depend on how busy the machine is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { uringAvailable } from '../../src/adapters/uring/available.ts';

const program = join(import.meta.dirname, 'allocations.ts');

/** Bytes for a message there and back, which is two messages; measured when written: 155 and 1,100 (Node's own sockets). */
const bytesMax = { uring: 300, net: 1_500 };

for (const [adapter, most] of Object.entries(bytesMax)) {
  const skip = adapter === 'uring' && uringAvailable() !== undefined ? 'io_uring cannot be used here' : false;
  test(`${adapter}: a message there and back allocates at most ${most} bytes`, { skip }, () => {
    const flags = ['--disable-warning=ExperimentalWarning', '--min-semi-space-size=128', '--max-semi-space-size=128'];
    const bytes = Number(execFileSync(process.execPath, [...flags, program, adapter], { encoding: 'utf8' }));
    assert.ok(bytes >= 0 && bytes <= most, `${bytes} bytes`);
  });
}
