import { test } from 'node:test';
import { netStreams } from '../../src/adapters/net.ts';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { uringWorld } from '../../src/adapters/uring/streams.ts';
import { realWorld } from './real-world.ts';
import { streamsContract } from './streams.ts';

const reason = uringAvailable();
if (reason !== undefined) test('streams over io_uring', { skip: reason }, () => {});
else {
  streamsContract('uring', () => {
    const world = uringWorld();
    return realWorld(world.streams, world.streams, () => world.close());
  });
  streamsContract('uring to net', () => {
    const world = uringWorld();
    return realWorld(world.streams, netStreams(), () => world.close());
  });
  streamsContract('net to uring', () => {
    const world = uringWorld();
    return realWorld(netStreams(), world.streams, () => world.close());
  });
}
