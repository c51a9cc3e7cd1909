/** Bytes: whole, in order, held back when the other side does not read. A part of the contract in streams.ts. */
import assert from 'node:assert/strict';
import { highWaterBytes } from '../../src/core/limits.ts';
import { type Contract, closed, connect, listen, pair } from './pair.ts';
import { type Behaviour, chance, Party, pattern } from './party.ts';

export function bytesContract(contract: Contract): void {
  contract('writes of one handler call arrive whole and in order', async (world) => {
    const parts = Array.from({ length: 200 }, (_, i) => `${i},`);
    const { client, server, listener } = await pair(
      world,
      {},
      {
        received: (party) => {
          for (const part of parts) party.text(part);
        },
      },
    );
    client.text('go');
    client.flush();
    const expected = parts.join('');
    await world.until(() => client.receivedBytes >= expected.length, 'the parts');
    assert.equal(String(client.bytes), expected);
    assert.equal(server.stream.unsentBytes, 0);
    client.reset();
    await closed(world, client, server);
    listener.close();
  });

  contract('a write outside a handler call leaves at flush', async (world) => {
    const { client, server, listener } = await pair(world);
    const buffer = Buffer.from('__valid for the call only__');
    client.write(buffer, 2, 25);
    buffer.fill(0);
    client.flush();
    await world.until(() => server.receivedBytes === 23, 'the bytes');
    assert.equal(String(server.bytes), 'valid for the call only');
    client.reset();
    await closed(world, client, server);
    listener.close();
  });

  contract('many bytes of every size arrive unharmed under back-pressure and pauses, both ways', async (world) => {
    const total = 3_000_000;
    const draw = chance(7);
    const sends = [pattern(total, 1), pattern(total, 2)];
    const sent = [0, 0];
    const pump = (party: Party, side: number): void => {
      while (sent[side]! < total) {
        const size = Math.min(total - sent[side]!, draw(4) === 0 ? 1 + draw(100_000) : 1 + draw(3_000));
        const go = party.write(sends[side]!, sent[side]!, sent[side]! + size);
        sent[side]! += size;
        if (!go) return;
      }
      party.shutdown();
    };
    const sometimesPause = (party: Party): void => {
      if (draw(5) > 0) return;
      party.pause();
      resumers.push(party);
    };
    const resumers: Party[] = [];
    const behaviour = (side: number): Behaviour => ({
      received: sometimesPause,
      drained: (party) => pump(party, side),
    });
    const { client, server, listener } = await pair(world, behaviour(0), behaviour(1));
    pump(client, 0);
    pump(server, 1);
    client.flush();
    server.flush();
    await world.until(() => {
      for (const party of resumers.splice(0)) party.resume();
      return client.closedCount === 1 && server.closedCount === 1;
    }, 'both streams to end');
    assert.ok(server.bytes.equals(sends[0]!), 'client to server');
    assert.ok(client.bytes.equals(sends[1]!), 'server to client');
    assert.equal(client.error ?? server.error, undefined);
    listener.close();
  });

  contract('the queue is bounded: write answers false, and drained comes when the peer reads again', async (world) => {
    const block = pattern(65_536, 3);
    const { client, server, listener } = await pair(world);
    server.pause();
    let sent = 0;
    while (client.write(block)) {
      sent += block.length;
      client.flush();
      await world.quiet();
      assert.ok(sent < 64_000_000, 'the kernel never stops taking');
    }
    sent += block.length;
    assert.ok(client.stream.unsentBytes > highWaterBytes);
    assert.ok(client.stream.unsentBytes <= highWaterBytes + block.length);
    await world.quiet();
    assert.equal(client.drainedCount, 0);
    assert.ok(client.write(block) === false, 'bytes are never refused');
    sent += block.length;
    server.resume();
    await world.until(() => server.receivedBytes === sent, 'all bytes');
    await world.until(() => client.drainedCount === 1, 'drained');
    assert.equal(client.stream.unsentBytes, 0);
    client.reset();
    await closed(world, client, server);
    listener.close();
  });

  contract('received bytes passed on stay what they were, however slow the reader', async (world) => {
    const total = 16_000_000;
    const data = pattern(total, 11);
    const reader = new Party('reader');
    const readerSocket = world.bind('ipv4');
    const readerListener = listen(world, readerSocket, reader);
    // The one in the middle: passes on what it receives, with a few bytes of its own between and a piece left out.
    const upstream = new Party('upstream', { drained: () => middle.resume() });
    const middle = new Party('middle', {
      received: (party, buffer, start, end) => {
        upstream.text('<');
        if (!upstream.write(buffer, start + 1, end)) party.pause();
        upstream.text('>');
      },
      ended: () => upstream.shutdown(),
    });
    const middleSocket = world.bind('ipv4');
    const middleListener = listen(world, middleSocket, middle);
    connect(world, readerSocket.address, upstream);
    await world.until(() => reader.stream !== undefined && upstream.openedCount === 1, 'the far half');
    reader.pause();
    const source: Party = new Party('source', { drained: (party) => pump(party) });
    let sent = 0;
    const pump = (party: Party): void => {
      while (sent < total) {
        const size = Math.min(total - sent, 5_000);
        sent += size;
        if (!party.write(data, sent - size, sent)) return;
      }
      party.shutdown();
    };
    connect(world, middleSocket.address, source);
    await world.until(() => source.openedCount === 1, 'the near half');
    pump(source);
    source.flush();
    await world.quiet();
    assert.ok(middle.paused, 'back-pressure reaches the source');
    assert.ok(upstream.stream.unsentBytes <= highWaterBytes + 131_072, `${upstream.stream.unsentBytes} bytes wait`);
    reader.resume();
    await world.until(() => reader.endedCount === 1, 'the end');
    let position = 0;
    const expected = Buffer.concat(
      middle.chunks.flatMap((chunk) => {
        assert.ok(chunk.equals(data.subarray(position, (position += chunk.length))), 'what the middle saw');
        return [Buffer.from('<'), chunk.subarray(1), Buffer.from('>')];
      }),
    );
    assert.equal(position, total);
    assert.ok(reader.bytes.equals(expected), 'what the reader saw');
    for (const party of [source, middle, upstream, reader]) party.reset();
    await closed(world, source, middle, upstream, reader);
    readerListener.close();
    middleListener.close();
  });

  contract('pause inside received stops at once, resume goes on', async (world) => {
    const { client, server, listener } = await pair(world, {}, { received: (party) => party.pause() });
    const data = pattern(300_000, 5);
    client.write(data);
    client.flush();
    await world.quiet();
    let calls = 0;
    while (server.receivedBytes < data.length) {
      const before = server.chunks.length;
      server.resume();
      server.resume();
      await world.until(() => server.chunks.length > before, 'more bytes');
      await world.quiet();
      assert.equal(server.chunks.length, before + 1, 'one call a resume');
      assert.ok(calls++ < 10_000);
    }
    assert.ok(server.bytes.equals(data));
    client.reset();
    // A paused stream need not hear of errors before it reads again.
    server.resume();
    await closed(world, client, server);
    listener.close();
  });

  contract('a stream paused in accepted hears nothing until resume', async (world) => {
    const socket = world.bind('ipv4');
    const server = new Party('server');
    const listener = world.server.listen(socket, { keepAlive: false }, (stream) => {
      server.stream = stream;
      server.pause();
      return server;
    });
    const client = connect(world, socket.address, new Party('client'));
    client.text('patience');
    client.flush();
    await world.until(() => server.stream !== undefined, 'accept');
    await world.quiet();
    assert.equal(server.receivedBytes, 0);
    server.resume();
    await world.until(() => server.receivedBytes === 8, 'the bytes');
    client.reset();
    await closed(world, client, server);
    listener.close();
  });
}
