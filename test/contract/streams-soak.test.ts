/** Thousands of connections that do anything at any time: nothing may be left over, neither in the process nor in the ring. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { netStreams } from '../../src/adapters/net.ts';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { receiveBufferBytes } from '../../src/adapters/uring/receive-buffers.ts';
import { uringWorld } from '../../src/adapters/uring/streams.ts';
import { highWaterBytes } from '../../src/core/limits.ts';
import { needs } from '../requirements.ts';
import { churn } from './churn.ts';
import { chance, Party, pattern } from './party.ts';
import { realWorld } from './real-world.ts';

/** Longer on demand: EVERGATE_SOAK=50 makes fifty times as many connections. */
const factor = Number(process.env['EVERGATE_SOAK'] ?? 1);
const load = { connections: 2_000 * factor, concurrent: 150 };

const descriptors = () => readdirSync('/proc/self/fd').length;

test('net: churn leaves no descriptor behind', { skip: needs('linux') }, async () => {
  const world = realWorld(netStreams(), netStreams());
  await world.quiet();
  const before = descriptors();
  await churn(world, { ...load, seed: 101 });
  await world.end();
  await world.quiet();
  assert.equal(descriptors(), before);
});

test('uring: churn leaves no descriptor, buffer or pending operation behind', {
  skip: uringAvailable() ?? false,
}, async () => {
  const uring = uringWorld();
  const { loop } = uring;
  const world = realWorld(uring.streams, uring.streams, () => uring.close());
  try {
    await world.quiet();
    const before = descriptors();
    for (const seed of [202, 303]) {
      await churn(world, { ...load, seed });
      await world.quiet();
      assert.equal(loop.targetCount, 0, 'streams and listeners that still wait for the kernel');
      assert.equal(loop.slots.used, 0, 'send slots in use');
      assert.equal(loop.buffers.free, loop.buffers.count, 'receive buffers in use');
    }
    // The sockets that the world bound for the churn are its own until its end.
    assert.equal(descriptors() - before, 2 * world.kinds.length);
  } finally {
    await world.end();
  }
});

test('uring: relays that end in any way leave no pipe, descriptor or buffer behind', {
  skip: uringAvailable() ?? false,
}, async () => {
  const uring = uringWorld();
  const { loop } = uring;
  const outside = netStreams();
  const world = realWorld(outside, uring.streams, () => uring.close());
  const draw = chance(31);
  const data = pattern(2_000_000, 31);
  const live = new Set<Party>();
  let relayed = 0;
  const join = (party: Party): Party => {
    live.add(party);
    return party;
  };
  try {
    const near = world.bind('ipv4');
    const far = world.bind('ipv4');
    const before = descriptors();
    const closed = (party: Party) => live.delete(party);
    const sends = (party: Party) => {
      party.write(data);
      party.shutdown();
    };
    const sometimes = (party: Party) => {
      const what = draw(60);
      if (what < 10) party.pause();
      else if (what === 10) party.reset();
      else if (what === 11) party.close();
    };
    const listeners = [
      outside.listen(far, { keepAlive: false }, (stream) => {
        const sink = join(
          new Party('sink', { received: sometimes, ended: (party) => party.shutdown(), closed }, false),
        );
        sink.stream = stream;
        return sink;
      }),
      uring.streams.listen(near, { keepAlive: false }, (stream) => {
        const pass = (other: () => Party) => ({
          received: (party: Party, buffer: Uint8Array, start: number, end: number) => {
            if (!other().write(buffer, start, end)) party.pause();
          },
          relayed: (party: Party, bytes: number) => {
            relayed += bytes;
            if (draw(100) === 0) party.reset();
            else if (draw(50) === 0) other().close();
          },
          drained: () => other().resume(),
          ended: () => other().shutdown(),
          closed: (party: Party) => {
            closed(party);
            if (other().closedCount === 0) other()[draw(2) === 0 ? 'close' : 'reset']();
          },
        });
        const begins = () => {
          middle.relay(onward);
          onward.relay(middle);
        };
        const middle: Party = join(
          new Party(
            'near',
            pass(() => onward),
            false,
          ),
        );
        const onward: Party = join(new Party('far', { ...pass(() => middle), opened: begins }, false));
        middle.stream = stream;
        onward.stream = uring.streams.connect({ to: far.address, keepAlive: false }, onward);
        return middle;
      }),
    ];
    let begun = 0;
    await world.until(() => {
      for (; begun < 300 * factor && live.size < 200; begun++) {
        const source = join(new Party('source', { opened: sends, received: sometimes, closed }, false));
        source.stream = world.client.connect({ to: near.address, keepAlive: false }, source);
      }
      for (const party of live) {
        const what = draw(300);
        if (party.paused && what < 200) party.resume();
        else if (what === 200) party.reset();
        else if (what === 201) party.close();
        else if (what === 202) party.shutdown();
      }
      return begun === 300 * factor && live.size === 0;
    }, 'the relays to end');
    for (const listener of listeners) listener.close();
    await world.quiet();
    assert.ok(relayed > data.length, `${relayed} bytes took the short way`);
    assert.equal(loop.pipes.used, 0, 'pipes in use');
    assert.equal(loop.slots.used, 0, 'send slots in use');
    assert.equal(loop.targetCount, 0);
    assert.equal(loop.buffers.free, loop.buffers.count, 'receive buffers in use');
    assert.equal(descriptors() - before, 2 * loop.pipes.idle);
  } finally {
    await world.end();
  }
});

test('uring: what waits for slow readers pins no receive buffers', { skip: uringAvailable() ?? false }, async () => {
  const uring = uringWorld();
  const { loop } = uring;
  const outside = netStreams();
  const world = realWorld(outside, uring.streams, () => uring.close());
  try {
    const near = world.bind('ipv4');
    const far = world.bind('ipv4');
    const all: Party[] = [];
    const join = (party: Party): Party => {
      all.push(party);
      return party;
    };
    // Sinks never read; what the middle receives from a source it passes on to a sink, until that one is full.
    const listeners = [
      outside.listen(far, { keepAlive: false }, (stream) => {
        const sink = join(new Party('sink', {}, false));
        sink.stream = stream;
        sink.pause();
        return sink;
      }),
      uring.streams.listen(near, { keepAlive: false }, (stream) => {
        const onward = join(new Party('onward', {}, false));
        onward.stream = uring.streams.connect({ to: far.address, keepAlive: false }, onward);
        const middle = join(
          new Party(
            'middle',
            {
              received: (party, buffer, start, end) => {
                if (!onward.write(buffer, start, end)) party.pause();
              },
            },
            false,
          ),
        );
        middle.stream = stream;
        return middle;
      }),
    ];
    const data = Buffer.alloc(16_000_000, 'x');
    const pairs = 8;
    for (let i = 0; i < pairs; i++) {
      const source = join(new Party('source', { opened: (party) => party.write(data) }, false));
      source.stream = world.client.connect({ to: near.address, keepAlive: false }, source);
    }
    const paused = () => all.filter((party) => party.name === 'middle' && party.paused).length;
    await world.until(() => paused() === pairs, 'every middle to be held up');
    await world.quiet();
    assert.equal(loop.buffers.free, loop.buffers.count);
    const waiting = all.filter((party) => party.name === 'onward').map((party) => party.stream.unsentBytes);
    assert.ok(Math.max(...waiting) <= highWaterBytes + receiveBufferBytes, `${Math.max(...waiting)} bytes wait`);
    for (const party of all) party.resume();
    for (const party of all) party.reset();
    await world.until(() => all.every((party) => party.closedCount === 1), 'the end');
    for (const listener of listeners) listener.close();
    await world.quiet();
    assert.equal(loop.slots.used, 0);
    assert.equal(loop.targetCount, 0);
  } finally {
    await world.end();
  }
});
