/**
 * Passing on what comes to another stream. An adapter without a shorter way has no `relay`; the caller, who writes what he is shown, can't
 * tell the difference. A part of the contract in streams.ts.
 */
import assert from 'node:assert/strict';
import type { Listener } from '../../src/engine/ports/streams.ts';
import { type Contract, closed, connect, listen } from './pair.ts';
import { type Behaviour, chance, Party, pattern } from './party.ts';
import type { StreamsWorld } from './streams-world.ts';

/** source ⇄ near | far ⇄ sink: near and far are the two streams of one in the middle. */
interface Chain {
  readonly source: Party;
  readonly near: Party;
  readonly far: Party;
  readonly sink: Party;
  readonly listeners: readonly Listener[];
}

/** What an engine does with bytes that it is shown: they go on, and the other side's pace is kept. */
function onward(other: () => Party): Behaviour {
  return {
    received: (party, buffer, start, end) => {
      if (!other().write(buffer, start, end)) party.pause();
    },
    drained: () => other().resume(),
    ended: () => other().shutdown(),
  };
}

async function chain(world: StreamsWorld, source: Party, sink: Party, behaviour: Partial<Behaviour> = {}) {
  const near: Party = new Party('near', { ...onward(() => far), ...behaviour });
  const far: Party = new Party(
    'far',
    onward(() => near),
  );
  const sinkSocket = world.bind('ipv4');
  const nearSocket = world.bind('ipv4');
  const listeners = [listen(world, sinkSocket, sink), listen(world, nearSocket, near)];
  connect(world, nearSocket.address, source);
  connect(world, sinkSocket.address, far);
  await world.until(
    () => near.stream !== undefined && sink.stream !== undefined && far.openedCount + source.openedCount === 2,
    'the chain',
  );
  const made: Chain = { source, near, far, sink, listeners };
  return made;
}

/** Relays until nothing moves any more, because the sink does not read. */
async function holdUp(world: StreamsWorld, { source, near, far, sink }: Chain, pump: () => void): Promise<void> {
  sink.pause();
  near.relay(far);
  pump();
  source.flush();
  await world.quiet();
}

/** A party that sends `data` as fast as it may, and then its FIN. */
function sender(name: string, data: Buffer, received: Behaviour['received'] = () => {}): [Party, () => void] {
  let sent = 0;
  const pump = (): void => {
    while (sent < data.length) {
      const size = Math.min(data.length - sent, 20_000);
      sent += size;
      if (!party.write(data, sent - size, sent)) return;
    }
    party.shutdown();
  };
  const party: Party = new Party(name, { received, drained: pump });
  return [party, pump];
}

async function ends(world: StreamsWorld, { source, near, far, sink, listeners }: Chain): Promise<void> {
  for (const party of [source, near, far, sink]) {
    party.reset();
    if (party.paused) party.resume();
  }
  await closed(world, source, near, far, sink);
  for (const listener of listeners) listener.close();
}

export function relayContract(contract: Contract): void {
  contract('relayed both ways: all bytes in order whoever is slow, then the FINs', async (world) => {
    const draw = chance(9);
    const slow: Party[] = [];
    const sometimesPause = (party: Party): void => {
      if (draw(5) > 0) return;
      party.pause();
      slow.push(party);
    };
    const data = [pattern(5_000_000, 21), pattern(3_000_000, 22)] as const;
    const [source, pumpUp] = sender('source', data[0], sometimesPause);
    const [sink, pumpDown] = sender('sink', data[1], sometimesPause);
    const made = await chain(world, source, sink);
    const { near, far } = made;
    near.relay(far);
    far.relay(near);
    pumpUp();
    pumpDown();
    source.flush();
    sink.flush();
    await world.until(() => {
      for (const party of slow.splice(0)) party.resume();
      return source.endedCount + sink.endedCount === 2;
    }, 'both ends');
    assert.ok(sink.bytes.equals(data[0]), 'what the sink saw');
    assert.ok(source.bytes.equals(data[1]), 'what the source saw');
    assert.equal(near.receivedBytes + near.relayedBytes, data[0].length);
    assert.equal(far.receivedBytes + far.relayedBytes, data[1].length);
    await closed(world, source, near, far, sink);
    for (const listener of made.listeners) listener.close();
  });

  contract('a counted relay: what follows the last byte is shown', async (world) => {
    const data = pattern(1_000_000, 23);
    const tail = Buffer.from('the next message');
    const [source, pump] = sender('source', Buffer.concat([data, tail]));
    const shown: Buffer[] = [];
    let left = data.length;
    const made = await chain(world, source, new Party('sink'), {
      received: (party, buffer, start, end) => {
        const own = Math.min(end, start + left);
        left -= own - start;
        if (start < own && !made.far.write(buffer, start, own)) party.pause();
        if (own < end) shown.push(Buffer.from(buffer.subarray(own, end)));
      },
      relayed: (_party, bytes) => {
        left -= bytes;
        assert.ok(left >= 0, 'more than was asked for');
      },
      ended: () => {},
    });
    made.near.relay(made.far, data.length);
    pump();
    source.flush();
    await world.until(() => Buffer.concat(shown).length === tail.length, 'the tail');
    assert.equal(left, 0);
    await world.until(() => made.sink.receivedBytes === data.length, 'the body');
    assert.ok(made.sink.bytes.equals(data));
    assert.ok(Buffer.concat(shown).equals(tail));
    await ends(world, made);
  });

  contract(
    'relayed to one who does not read: the source is held up, and close sends what is under way',
    async (world) => {
      const data = pattern(40_000_000, 24);
      const [source, pump] = sender('source', data);
      const made = await chain(world, source, new Party('sink'));
      const { near, far, sink } = made;
      await holdUp(world, made, pump);
      const taken = near.receivedBytes + near.relayedBytes;
      assert.ok(taken < data.length && source.stream.unsentBytes > 0, 'nobody is held up');
      assert.ok(far.stream.unsentBytes < 500_000, `${far.stream.unsentBytes} bytes wait`);
      far.close();
      sink.resume();
      await world.until(() => sink.endedCount === 1, 'the end');
      assert.ok(sink.receivedBytes >= taken);
      assert.ok(sink.bytes.equals(data.subarray(0, sink.receivedBytes)), 'what the sink saw');
      await ends(world, made);
    },
  );

  for (const [what, end] of [
    ['shut down', (far: Party) => far.shutdown()],
    ['closed', (far: Party) => far.close()],
  ] as const)
    contract(`the receiver is held up and then ${what}: the rest is shown, and the end told`, async (world) => {
      const data = pattern(40_000_000, 27);
      const [source, pump] = sender('source', data);
      const made = await chain(world, source, new Party('sink'), {
        received: (_party, buffer, start, finish) => {
          if (!isOver && !made.far.write(buffer, start, finish)) made.near.pause();
        },
        ended: () => {},
      });
      let isOver = false;
      const { near, far, sink } = made;
      await holdUp(world, made, pump);
      isOver = true;
      end(far);
      far.flush();
      if (near.paused) near.resume();
      await world.until(() => near.endedCount === 1, 'the end of what nobody takes');
      assert.equal(near.receivedBytes + near.relayedBytes, data.length);
      sink.resume();
      await world.until(() => sink.endedCount === 1, 'the end');
      assert.ok(sink.bytes.equals(data.subarray(0, sink.receivedBytes)), 'what the sink saw');
      await ends(world, made);
    });

  for (const dies of ['source', 'near', 'far', 'sink'] as const)
    contract(`relayed, and ${dies} is reset in the middle: each stream ends once`, async (world) => {
      const data = pattern(20_000_000, 25);
      const [source, pump] = sender('source', data);
      const made = await chain(world, source, new Party('sink', {}, false));
      const { near, far, sink } = made;
      near.relay(far);
      far.relay(near);
      pump();
      source.flush();
      await world.until(() => sink.receivedBytes > 1_000_000, 'some bytes');
      if (dies === 'source') sink.pause();
      await world.quiet();
      made[dies].reset();
      await world.quiet();
      await ends(world, made);
    });

  contract('pause holds relayed bytes back, resume goes on', async (world) => {
    const data = pattern(6_000_000, 26);
    const [source, pump] = sender('source', data);
    const made = await chain(world, source, new Party('sink'));
    const { near, far, sink } = made;
    near.relay(far);
    pump();
    source.flush();
    await world.until(() => sink.receivedBytes > 1_000_000, 'some bytes');
    near.pause();
    await world.quiet();
    const held = near.receivedBytes + near.relayedBytes;
    await world.quiet();
    assert.equal(near.receivedBytes + near.relayedBytes, held);
    assert.equal(sink.receivedBytes, held);
    near.resume();
    await world.until(() => sink.endedCount === 1, 'the end');
    assert.ok(sink.bytes.equals(data));
    await ends(world, made);
  });
}
