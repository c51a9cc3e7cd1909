/** Listeners pause, resume and close. A part of the contract in streams.ts. */
import assert from 'node:assert/strict';
import type { Stream } from '../../src/engine/ports/streams.ts';
import { type Contract, closed, connect, pair } from './pair.ts';
import { Party } from './party.ts';

export function listeningContract(contract: Contract): void {
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

  contract(
    'of two listeners on a socket one closes while connections arrive: none waits for the next',
    async (world) => {
      const socket = world.bind('ipv4');
      const streams: Stream[] = [];
      const listen = () =>
        world.server.listen(socket, { keepAlive: false }, (stream) => {
          streams.push(stream);
          const party = new Party('server', { ended: (p) => p.close() });
          party.stream = stream;
          return party;
        });
      let staying = listen();
      for (let round = 1; round <= 50; round++) {
        const leaving = staying;
        staying = listen();
        await world.quiet();
        const client = connect(world, socket.address, new Party(`client ${round}`));
        leaving.close();
        await world.until(() => streams.length === round, `connection ${round} to be accepted`);
        client.close();
        await closed(world, client);
      }
      staying.close();
    },
  );

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
}
