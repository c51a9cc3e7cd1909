/** Every way in which a stream ends, told exactly once. A part of the contract in streams.ts. */
import assert from 'node:assert/strict';
import { type Contract, closed, pair } from './pair.ts';
import { pattern } from './party.ts';

export function endingsContract(contract: Contract): void {
  contract('bytes and a reset behind them meet a write: the end is told', async (world) => {
    const { client, server, listener } = await pair(world);
    await world.quiet();
    server.text('last words');
    server.flush();
    server.reset();
    client.text('x'.repeat(10_000));
    client.flush();
    await closed(world, client, server);
    assert.equal(client.error, 'reset');
    assert.ok('last words'.startsWith(client.bytes.toString()));
    listener.close();
  });

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
}
