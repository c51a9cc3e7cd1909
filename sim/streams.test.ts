import { type StreamsWorld, streamsContract } from '../test/contract/streams.ts';
import { SeededRandom, VirtualTime } from './clock.ts';
import { Network, type NetworkOptions } from './streams.ts';

/** Virtual milliseconds in which nothing happens, until a wait is given up. */
const idleMsMax = 10_000;

function world(options: (random: SeededRandom) => NetworkOptions): StreamsWorld {
  const time = new VirtualTime();
  const network = new Network(time, options(new SeededRandom(1)));
  return {
    client: network.streams('10.0.0.1'),
    server: network.streams('10.0.0.2'),
    kinds: ['ipv4'],
    bind: () => network.bind('10.0.0.2'),
    unbind: (socket) => network.unbind(socket),
    until: async (done, what) => {
      // While nothing happens time passes all the same: whoever waits may do something at its next look.
      for (let idleMs = 0; !done(); ) {
        if (time.step()) idleMs = 0;
        else if (idleMs++ < idleMsMax) time.run(time.now() + 1);
        else throw new Error(`waited in vain for ${what}`);
      }
    },
    quiet: async () => {
      for (let steps = 0; steps < 1_000_000 && time.step(); steps++);
    },
    end: async () => {},
  };
}

streamsContract('virtual network', () => world(() => ({})));
streamsContract('virtual network, slow, in small pieces', () =>
  world((random) => ({
    delayMs: 3,
    windowBytes: 20_000,
    segmentBytes: () => 1 + random.below(random.below(3) === 0 ? 1_460 : 20_000),
  })),
);
