/** Many connections whose ends do random things: for the contract suite, and for the soak. */
import assert from 'node:assert/strict';
import { type Behaviour, chance, Party, pattern } from './party.ts';
import type { StreamsWorld } from './streams-world.ts';

export interface ChurnOptions {
  readonly seed: number;
  readonly connections: number;
  readonly concurrent: number;
}

/**
 * Connections whose two ends do random things at random moments. Both ends send the same pattern, so each can check every byte it
 * receives without knowing how much the other managed to send. Also the soak test's engine.
 */
export async function churn(world: StreamsWorld, options: ChurnOptions): Promise<void> {
  const draw = chance(options.seed);
  const data = pattern(400_000, options.seed);
  const all: Party[] = [];
  const live = new Set<Party>();
  let begun = 0;

  const behaviour = (): Behaviour => {
    const total = draw(3) === 0 ? draw(data.length) : draw(2_000);
    let sent = 0;
    const pump = (party: Party): void => {
      while (sent < total) {
        const size = Math.min(total - sent, 1 + draw(20_000));
        sent += size;
        if (!party.write(data, sent - size, sent)) return;
      }
      const end = draw(10);
      if (end < 6) party.shutdown();
      else if (end < 8) party.close();
      else if (end === 8) party.reset();
      // else: waits for the other side
    };
    return {
      opened: pump,
      received: (party, buffer, start, end) => {
        const at = party.receivedBytes - (end - start);
        assert.ok(
          Buffer.compare(data.subarray(at, at + end - start), buffer.subarray(start, end)) === 0,
          `${party.name}: wrong bytes at ${at}`,
        );
        const what = draw(40);
        if (what < 4) party.pause();
        else if (what === 4) party.reset();
        else if (what === 5) party.close();
        if (sent === 0) pump(party);
      },
      drained: pump,
      ended: (party) => {
        if (draw(4) === 0) party.close();
        else if (sent >= total || draw(3) === 0) party.shutdown();
      },
      closed: (party) => live.delete(party),
    };
  };
  const join = (party: Party): Party => {
    all.push(party);
    live.add(party);
    return party;
  };

  const sockets = world.kinds.map((kind) => world.bind(kind));
  const listeners = sockets.map((socket) =>
    world.server.listen(socket, { keepAlive: false }, (stream) => {
      if (draw(30) === 0) return undefined;
      const party = join(new Party(`server ${all.length}`, behaviour(), false));
      party.stream = stream;
      if (draw(8) === 0) party.pause();
      return party;
    }),
  );
  const poke = (): void => {
    while (begun < options.connections && live.size < options.concurrent * 2) {
      begun++;
      const socket = sockets[draw(sockets.length)]!;
      const party = join(new Party(`client ${all.length}`, behaviour(), false));
      party.stream = world.client.connect({ to: socket.address, keepAlive: false }, party);
      if (draw(25) === 0) party[draw(2) === 0 ? 'close' : 'reset']();
    }
    for (const party of live) {
      const what = draw(60);
      if (party.paused && what < 30) party.resume();
      else if (what === 30) party.reset();
      else if (what === 31) party.close();
      else if (what === 32) party.shutdown();
      else if (what === 33) listeners[draw(listeners.length)]!.pause();
      else if (what < 40) for (const listener of listeners) listener.resume();
    }
  };
  await world.until(() => {
    poke();
    return begun === options.connections && live.size === 0;
  }, 'the churn to end');
  for (const listener of listeners) listener.close();
  await world.quiet();
  for (const party of all) assert.equal(party.closedCount, 1, party.name);
}
