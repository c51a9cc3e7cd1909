/**
 * The contract of the Streams port. Every adapter, and the simulator's stand-in, passes this one suite.
 *
 * A world supplies the adapter under test twice (`client` connects, `server` listens: the same object, or two adapters that must
 * understand each other), addresses to listen on, and a way to let things happen. Nothing here waits for time to pass: it waits
 * for events, or lets the world become quiet.
 */
import { test } from 'node:test';
import { churn } from './churn.ts';
import type { Contract } from './pair.ts';
import { bytesContract } from './streams-bytes.ts';
import { endingsContract } from './streams-endings.ts';
import { listeningContract } from './streams-listening.ts';
import { openingContract } from './streams-opening.ts';
import { relayContract } from './streams-relay.ts';
import type { StreamsWorld } from './streams-world.ts';

export type { StreamsWorld };

export function streamsContract(name: string, makeWorld: () => StreamsWorld): void {
  const contract: Contract = (title, run) =>
    test(`${name}: ${title}`, async () => {
      const world = makeWorld();
      try {
        await run(world);
      } finally {
        await world.end();
      }
    });
  openingContract(contract);
  bytesContract(contract);
  endingsContract(contract);
  listeningContract(contract);
  relayContract(contract);

  for (let seed = 1; seed <= 5; seed++) {
    contract(`churn with seed ${seed}: every stream ends once, every byte is right`, async (world) => {
      await churn(world, { seed, connections: 60, concurrent: 20 });
    });
  }
}
