/** What is done to a cluster, and how it is undone: each case is one fault on the preferred node and that node's return. */
import type { Actions } from '../../src/lab/actions.ts';
import type { Cluster } from '../../src/lab/cluster.ts';
import type { Step, Verb } from '../../src/lab/drill-file.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  /** False where nothing is done at all: two windows as long as the others'. */
  readonly moves: boolean;
  /** Evergate's launcher starts it again by itself; the originals need somebody who does. */
  readonly returnsByItself: boolean;
  fault(world: World): Promise<void>;
  repair(world: World): Promise<void>;
}

export interface World {
  readonly cluster: Cluster;
  readonly actions: Actions;
  readonly preferred: string;
}

/**
 * Milliseconds that a network is cut in two: longer than any standby waits, and up to one interval of the example's files more, by chance. How long
 * two routers hold the address after it depends on when their next advertisements are due.
 */
const cutMs = () => 5_000 + 1_000 * Math.random();

export const cases: readonly Case[] = [
  {
    name: 'nothing',
    title: 'nothing happens',
    moves: false,
    returnsByItself: false,
    fault: async () => {},
    repair: async () => {},
  },
  {
    name: 'balancer-killed',
    title: 'balancer killed',
    moves: true,
    returnsByItself: true,
    fault: (world) => act(world, 'kill', 'balancer'),
    repair: (world) => act(world, 'start', 'node'),
  },
  {
    name: 'both-killed',
    title: 'balancer and VRRP daemon killed',
    moves: true,
    returnsByItself: false,
    fault: (world) => act(world, 'kill', 'both'),
    repair: (world) => act(world, 'start', 'node'),
  },
  {
    name: 'link-lost',
    title: 'host loses its link',
    moves: true,
    returnsByItself: false,
    fault: (world) => act(world, 'unplug', 'link'),
    repair: (world) => act(world, 'plug', 'link'),
  },
  {
    name: 'orderly-stop',
    title: 'orderly stop',
    moves: true,
    returnsByItself: false,
    fault: (world) => act(world, 'stop', 'node'),
    repair: (world) => act(world, 'start', 'node'),
  },
  {
    name: 'partition-heals',
    title: 'partition of 5 to 6 s heals',
    moves: true,
    returnsByItself: false,
    async fault({ cluster, preferred }) {
      await cluster.host(preferred).forwarded(false);
      await new Promise((resolve) => setTimeout(resolve, cutMs()));
    },
    repair: async ({ cluster, preferred }) => cluster.host(preferred).forwarded(true),
  },
];

async function act({ actions, preferred }: World, verb: Verb, what: string): Promise<void> {
  const step: Step = { verb, what, on: preferred, atMs: undefined, ms: 0 };
  await actions.perform(step, [preferred]);
}
