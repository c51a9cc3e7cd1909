/** The circle of receive buffers: as large as a burst needs, small again after it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../engine/ports/time.ts';
import { uringAvailable } from './available.ts';
import { ReceiveBuffers, receiveBufferBytes, receiveBuffersFirst, receiveBuffersMax } from './receive-buffers.ts';
import { Ring } from './ring.ts';

const skip = uringAvailable() ?? false;

interface Setting {
  readonly buffers: ReceiveBuffers;
  readonly isWatched: () => boolean;
  /** Lets the time pass after which the circle is looked at. */
  readonly waitForLook: () => void;
}

function setting(t: TestContext): Setting {
  let look = () => {};
  let atMs = Number.POSITIVE_INFINITY;
  let now = 0;
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    alarm: (ring) => {
      look = ring;
      return {
        set: (at) => {
          atMs = at;
        },
        clear: () => {
          atMs = Number.POSITIVE_INFINITY;
        },
      };
    },
  };
  const ring = new Ring();
  const buffers = new ReceiveBuffers(ring, clock);
  t.after(() => {
    ring.close();
    buffers.dispose();
  });
  return {
    buffers,
    isWatched: () => Number.isFinite(atMs),
    waitForLook: () => {
      now = atMs;
      atMs = Number.POSITIVE_INFINITY;
      look();
    },
  };
}

/** As many buffers in use at a time, each with something in it; then all given back. */
function burst(buffers: ReceiveBuffers, size: number): void {
  while (buffers.count < size) buffers.grow();
  for (let buffer = 0; buffer < size; buffer++) {
    buffers.filled(buffer);
    buffers.bytes.fill(7, buffer * receiveBufferBytes, (buffer + 1) * receiveBufferBytes);
  }
  for (let buffer = 0; buffer < size; buffer++) buffers.release(buffer);
}

/** One connection with a little to say: the kernel fills the buffers of the circle one after the other. */
function trickle(buffers: ReceiveBuffers, times: number): void {
  for (let i = 0; i < times; i++) {
    buffers.filled(i);
    buffers.bytes[i * receiveBufferBytes] = 7;
    buffers.release(i);
  }
}

function withMemory(buffers: ReceiveBuffers): number {
  let count = 0;
  for (let i = 0; i < receiveBuffersMax; i++) if (buffers.bytes[i * receiveBufferBytes] === 7) count++;
  return count;
}

test('after a burst the memory goes back to the system, and little traffic makes the circle small again', {
  skip,
}, (t) => {
  const { buffers, waitForLook, isWatched } = setting(t);
  assert.equal(buffers.count, receiveBuffersFirst);
  assert.equal(isWatched(), false);
  burst(buffers, 2048);
  assert.equal(buffers.free, 2048);
  waitForLook();
  assert.equal(withMemory(buffers), 2048, 'they were all needed in this time');
  waitForLook();
  assert.equal(withMemory(buffers), 0, 'nobody needed them any more');
  for (let looks = 0; isWatched(); looks++) {
    assert.ok(looks < 20, 'still not small');
    trickle(buffers, buffers.count);
    waitForLook();
  }
  assert.equal(buffers.count, receiveBuffersFirst);
  assert.equal(buffers.free, receiveBuffersFirst);
  assert.ok(withMemory(buffers) <= receiveBuffersFirst * 2, `${withMemory(buffers)} keep their memory`);
});

test('a load that goes on keeps what it needs', { skip }, (t) => {
  const { buffers, waitForLook } = setting(t);
  burst(buffers, 2048);
  for (let looks = 0; looks < 12; looks++) {
    burst(buffers, 600);
    waitForLook();
  }
  assert.ok(buffers.count >= 600 && buffers.count < 700, `${buffers.count} buffers for 600 at a time`);
});

test('a second burst finds all buffers again', { skip }, (t) => {
  const { buffers, waitForLook } = setting(t);
  for (let times = 0; times < 3; times++) {
    while (buffers.count < receiveBuffersMax) buffers.grow();
    for (let looks = 0; looks < 8; looks++) {
      waitForLook();
      trickle(buffers, buffers.count);
    }
    assert.ok(buffers.count < receiveBuffersMax / 4);
  }
  buffers.grow();
  while (buffers.count < receiveBuffersMax) buffers.grow();
  assert.equal(buffers.free, receiveBuffersMax);
});
