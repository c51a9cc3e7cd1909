/**
 * The contract of the Streams port. Every adapter, and the simulator's stand-in, passes this one suite.
 *
 * A world supplies the adapter under test twice (`client` connects, `server` listens: the same object, or two adapters that must
 * understand each other), addresses to listen on, and a way to let things happen. Nothing here waits for time to pass: it waits
 * for events, or lets the world become quiet.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SocketAddress } from '../../src/core/address.ts';
import { highWaterBytes } from '../../src/core/limits.ts';
import type { Listener, ListenerSocket, Stream } from '../../src/engine/ports.ts';
import { churn } from './churn.ts';
import { type Behaviour, chance, Party, pattern } from './party.ts';
import type { ListenKind, StreamsWorld } from './streams-world.ts';

export type { StreamsWorld };

/** A pair of parties that are connected. */
interface Pair {
  readonly client: Party;
  readonly server: Party;
  readonly listener: Listener;
  readonly socket: ListenerSocket;
}

export function streamsContract(name: string, makeWorld: () => StreamsWorld): void {
  const contract = (title: string, run: (world: StreamsWorld) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const world = makeWorld();
      try {
        await run(world);
      } finally {
        await world.end();
      }
    });

  // ---------------------------------------------------------------- opening

  contract('bytes go both ways, on every kind of address', async (world) => {
    for (const kind of world.kinds) {
      const { client, server, listener } = await pair(world, {}, {}, kind);
      client.text('ping');
      client.flush();
      await world.until(() => server.receivedBytes === 4, `ping over ${kind}`);
      server.text('pong');
      server.flush();
      await world.until(() => client.receivedBytes === 4, `pong over ${kind}`);
      assert.equal(`${server.bytes}${client.bytes}`, 'pingpong');
      client.close();
      server.close();
      await closed(world, client, server);
      listener.close();
    }
  });

  contract('a connection that nobody listens for is refused', async (world) => {
    for (const kind of world.kinds) {
      const socket = world.bind(kind);
      world.unbind(socket);
      const client = connect(world, socket.address, new Party('client'));
      await closed(world, client);
      assert.equal(client.openedCount, 0);
      assert.equal(client.error, 'refused', kind);
    }
  });

  contract('close before opened ends without opened', async (world) => {
    for (const end of ['close', 'reset'] as const) {
      const socket = world.bind('ipv4');
      const client = connect(world, socket.address, new Party('client'));
      client[end]();
      await closed(world, client);
      await world.quiet();
      assert.equal(client.openedCount, 0);
      assert.equal(client.error, undefined);
    }
  });

  contract('bytes and a FIN written before opened leave once it is', async (world) => {
    const server = new Party('server');
    const socket = world.bind('ipv4');
    const listener = listen(world, socket, server);
    const client = connect(world, socket.address, new Party('client'));
    client.text('early');
    client.flush();
    client.shutdown();
    await world.until(() => server.endedCount === 1, 'the FIN');
    assert.equal(String(server.bytes), 'early');
    assert.equal(client.openedCount, 1);
    server.shutdown();
    await closed(world, client, server);
    listener.close();
  });

  contract('a stream that accepted refuses is reset', async (world) => {
    const socket = world.bind('ipv4');
    const listener = world.server.listen(socket, { keepAlive: false }, () => undefined);
    const client = connect(world, socket.address, new Party('client'));
    await closed(world, client);
    assert.equal(client.error, 'reset');
    listener.close();
  });

  contract('addresses are the same seen from both ends, and stay known', async (world) => {
    for (const kind of ['ipv4', 'ipv6'] as const) {
      if (!world.kinds.includes(kind)) continue;
      const { client, server, socket, listener } = await pair(world, {}, {}, kind);
      assert.deepEqual(client.stream.remoteAddress(), socket.address);
      assert.deepEqual(server.stream.localAddress(), socket.address);
      assert.deepEqual(server.stream.remoteAddress(), client.stream.localAddress());
      const remote = server.stream.remoteAddress();
      client.reset();
      await closed(world, client, server);
      assert.deepEqual(server.stream.remoteAddress(), remote);
      listener.close();
    }
  });

  contract('an address never asked for is empty once the stream is gone', async (world) => {
    const { client, server, listener } = await pair(world);
    client.reset();
    await closed(world, client, server);
    assert.deepEqual(client.stream.localAddress(), { family: 'ipv4', host: '', port: 0 });
    listener.close();
  });

  contract('connect binds the local address it is given', async (world) => {
    const server = new Party('server');
    const socket = world.bind('ipv4');
    const listener = listen(world, socket, server);
    const client = new Party('client');
    const from: SocketAddress = { family: 'ipv4', host: '127.0.0.9', port: 0 };
    client.stream = world.client.connect({ to: socket.address, from, keepAlive: true }, client);
    await world.until(() => client.openedCount === 1 && server.stream !== undefined, 'the connection');
    const remote = server.stream.remoteAddress();
    assert.equal(remote.family === 'ipv4' && remote.host, '127.0.0.9');
    client.close();
    server.close();
    await closed(world, client, server);
    listener.close();
  });

  // ---------------------------------------------------------------- sending and receiving

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

  // ---------------------------------------------------------------- endings

  contract('half-close: after a FIN the other direction goes on', async (world) => {
    const { client, server, listener } = await pair(world);
    client.text('question');
    client.shutdown();
    await world.until(() => server.endedCount === 1, 'the FIN');
    assert.equal(String(server.bytes), 'question');
    await world.quiet();
    assert.equal(server.closedCount + client.closedCount, 0);
    server.text('answer');
    server.flush();
    await world.until(() => client.receivedBytes === 6, 'the answer');
    server.shutdown();
    await closed(world, client, server);
    assert.equal(client.endedCount, 1);
    assert.equal(client.error ?? server.error, undefined);
    listener.close();
  });

  contract('a FIN leaves after everything written, however long that takes', async (world) => {
    const data = pattern(4_000_000, 9);
    const { client, server, listener } = await pair(world);
    server.pause();
    client.write(data);
    client.shutdown();
    client.write(Buffer.from('too late'));
    await world.quiet();
    assert.equal(server.endedCount, 0);
    server.resume();
    await world.until(() => server.endedCount === 1, 'the FIN');
    assert.ok(server.bytes.equals(data));
    server.close();
    await closed(world, client, server);
    assert.equal(client.error ?? server.error, undefined);
    listener.close();
  });

  contract('close sends what is queued, then ends', async (world) => {
    const data = pattern(4_000_000, 13);
    const { client, server, listener } = await pair(world);
    server.pause();
    client.write(data);
    client.close();
    client.close();
    await world.quiet();
    server.resume();
    await closed(world, client);
    await world.until(() => server.endedCount === 1, 'the FIN');
    assert.ok(server.bytes.equals(data));
    assert.equal(client.error, undefined);
    server.close();
    await closed(world, server);
    listener.close();
  });

  contract('bytes unread at close harm nothing that was written before', async (world) => {
    const { client, server, listener } = await pair(world, {}, { received: (party) => party.pause() });
    client.write(pattern(60_000, 1));
    client.flush();
    await world.until(() => server.receivedBytes > 0, 'the first bytes');
    await world.quiet();
    server.text('enough');
    server.close();
    await world.until(() => client.receivedBytes === 6, 'the last word');
    await world.until(() => client.endedCount + client.closedCount > 0, 'the end');
    assert.equal(String(client.bytes), 'enough');
    client.close();
    await closed(world, client, server);
    listener.close();
  });

  contract('reset drops what is queued; the peer sees a reset', async (world) => {
    const { client, server, listener } = await pair(world);
    server.pause();
    client.write(pattern(8_000_000, 17));
    client.flush();
    client.reset();
    client.reset();
    await closed(world, client);
    assert.equal(client.error, undefined);
    server.resume();
    await closed(world, server);
    assert.equal(server.error, 'reset');
    assert.ok(server.receivedBytes < 8_000_000);
    listener.close();
  });

  contract('reset after close ends a stream whose peer never reads', async (world) => {
    const { client, server, listener } = await pair(world);
    server.pause();
    client.write(pattern(8_000_000, 19));
    client.close();
    await world.quiet();
    assert.equal(client.closedCount, 0);
    client.reset();
    await closed(world, client);
    server.resume();
    await closed(world, server);
    listener.close();
  });

  contract('bytes and FIN that come together are told in order', async (world) => {
    const { client, server, listener } = await pair(world);
    server.pause();
    client.text('last words');
    client.close();
    await closed(world, client);
    await world.quiet();
    server.resume();
    await world.until(() => server.endedCount === 1, 'the FIN');
    assert.equal(String(server.bytes), 'last words');
    server.shutdown();
    await closed(world, server);
    assert.equal(server.error, undefined);
    listener.close();
  });

  contract('every call may be made from every event', async (world) => {
    const { client, server, listener } = await pair(
      world,
      { ended: (party) => party.close() },
      {
        received: (party) => {
          party.text('bye');
          party.shutdown();
          party.pause();
          party.resume();
        },
        ended: (party) => party.close(),
      },
    );
    client.text('hello');
    client.flush();
    await closed(world, client, server);
    assert.equal(String(client.bytes), 'bye');
    listener.close();
  });

  contract('close inside received: nothing follows but closed', async (world) => {
    for (const end of ['close', 'reset'] as const) {
      const { client, server, listener } = await pair(world, {}, { received: (party) => party[end]() });
      client.write(pattern(200_000, 23));
      client.flush();
      await closed(world, server);
      assert.equal(server.chunks.length, 1);
      client.reset();
      await closed(world, client);
      listener.close();
    }
  });

  contract('calls after closed do nothing', async (world) => {
    const { client, server, listener } = await pair(world);
    client.reset();
    await closed(world, client, server);
    for (const party of [client, server]) {
      assert.equal(party.stream.write(Buffer.from('x'), 0, 1), true);
      party.flush();
      party.stream.pause();
      party.stream.resume();
      party.shutdown();
      party.close();
      party.reset();
      assert.equal(party.stream.unsentBytes, 0);
    }
    await world.quiet();
    listener.close();
  });

  // ---------------------------------------------------------------- listening

  contract('a paused listener leaves connections in the backlog', async (world) => {
    const socket = world.bind('ipv4');
    const streams: Stream[] = [];
    const listener = world.server.listen(socket, { keepAlive: true }, (stream) => {
      streams.push(stream);
      const party = new Party('server', { ended: (p) => p.close() });
      party.stream = stream;
      return party;
    });
    listener.pause();
    listener.pause();
    // A connection that the kernel had already handed over may still be told; from then on none is.
    await world.quiet();
    const clients = Array.from({ length: 5 }, (_, i) => connect(world, socket.address, new Party(`client ${i}`)));
    await world.until(() => clients.every((client) => client.openedCount === 1), 'the kernel to connect them');
    await world.quiet();
    assert.equal(streams.length, 0);
    listener.resume();
    listener.resume();
    await world.until(() => streams.length === 5, 'accept');
    for (const client of clients) client.close();
    await closed(world, ...clients);
    listener.close();
  });

  contract('a closed listener accepts nothing; established streams live on', async (world) => {
    const { client, server, listener, socket } = await pair(world);
    listener.close();
    listener.close();
    world.unbind(socket);
    await world.quiet();
    const late = connect(world, socket.address, new Party('late'));
    await closed(world, late);
    assert.equal(late.error, 'refused');
    client.text('still here');
    client.flush();
    await world.until(() => server.receivedBytes === 10, 'the bytes');
    client.reset();
    await closed(world, client, server);
  });

  // ---------------------------------------------------------------- together

  for (let seed = 1; seed <= 5; seed++) {
    contract(`churn with seed ${seed}: every stream ends once, every byte is right`, async (world) => {
      await churn(world, { seed, connections: 60, concurrent: 20 });
    });
  }

  // ---------------------------------------------------------------- helpers

  async function pair(
    world: StreamsWorld,
    clientBehaviour: Behaviour = {},
    serverBehaviour: Behaviour = {},
    kind: ListenKind = 'ipv4',
  ): Promise<Pair> {
    const server = new Party('server', serverBehaviour);
    const client = new Party('client', clientBehaviour);
    const socket = world.bind(kind);
    const listener = listen(world, socket, server);
    connect(world, socket.address, client);
    await world.until(() => client.openedCount === 1 && server.stream !== undefined, 'a connection');
    return { client, server, listener, socket };
  }
}

function connect(world: StreamsWorld, to: SocketAddress, party: Party): Party {
  party.inCall = true;
  party.stream = world.client.connect({ to, keepAlive: false }, party);
  party.inCall = false;
  return party;
}

function listen(world: StreamsWorld, socket: ListenerSocket, party: Party): Listener {
  return world.server.listen(socket, { keepAlive: false }, (stream) => {
    party.stream = stream;
    return party;
  });
}

function closed(world: StreamsWorld, ...parties: readonly Party[]): Promise<void> {
  return world.until(
    () => parties.every((party) => party.closedCount === 1),
    `the end of ${parties.map((party) => party.name).join(', ')}`,
  );
}
