/** Connections come about: on every kind of address, refused, before they stand. A part of the contract in streams.ts. */
import assert from 'node:assert/strict';
import type { SocketAddress } from '../../src/core/address.ts';
import { type Contract, closed, connect, listen, pair } from './pair.ts';
import { Party } from './party.ts';

export function openingContract(contract: Contract): void {
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
}
