/**
 * Runs drills on a cluster, one after the other: steady state, prediction, fault, observation, repair, verdict. The load never stops, so that
 * what happens between two steps is seen as well.
 */
import { Actions } from './actions.ts';
import { Cluster, type ClusterEvent } from './cluster.ts';
import type { Drill, Step } from './drill-file.ts';
import type { Engine } from './engine.ts';
import type { LoadedCluster } from './load-cluster.ts';
import { checkPredictions, type Promised, shifted, stateBands } from './observed.ts';
import { monotonicMs } from './prober/load.ts';
import { Prober } from './prober/prober.ts';
import { type Foreseen, Rehearsal, type Scene } from './rehearsal.ts';
import type { Mark, Observation } from './verdict.ts';

export interface RunnerEvents {
  /** Something worth a line, `at` on the monotonic clock. */
  readonly told: (at: number, kind: Mark['kind'], node: string, text: string) => void;
}

/** Shown before the first step, milliseconds: what all was well looks like. */
const leadMs = 300;
/** How long it may take until all is well. */
const steadyWaitMs = 40_000;
/** A dozen programs start at once, on whatever machine this is. */
const bootWaitMs = 120_000;

export class Runner {
  readonly #loaded: LoadedCluster;
  readonly #engine: Engine;
  readonly #events: RunnerEvents;
  #cluster: Cluster | undefined;
  #actions: Actions | undefined;
  #prober: Prober | undefined;
  readonly #rehearsal: Rehearsal;

  constructor(loaded: LoadedCluster, engine: Engine, events: RunnerEvents) {
    this.#loaded = loaded;
    this.#engine = engine;
    this.#events = events;
    this.#rehearsal = new Rehearsal(loaded.topology, loaded.predicted, engine);
  }

  get cluster(): Cluster {
    return this.#cluster!;
  }

  get prober(): Prober {
    return this.#prober!;
  }

  /** Boots the cluster and resolves when all is well. Throws Error with what is missing. */
  async start(): Promise<void> {
    const { topology, files, predicted } = this.#loaded;
    const cluster = new Cluster(topology, this.#engine, files);
    this.#cluster = cluster;
    cluster.onEvent = (event) => this.#heard(event);
    this.#actions = new Actions(cluster, predicted[0]!.router.settings.virtualRouterId);
    await cluster.start();
    this.#prober = new Prober(cluster.client, { host: topology.virtualAddress, port: topology.port });
    this.#prober.onRecord = () => cluster.wake();
    await this.#steady(bootWaitMs);
  }

  async dispose(): Promise<void> {
    await this.#prober?.stop();
    await this.#cluster?.dispose();
    this.#cluster = undefined;
  }

  async run(drill: Drill, trial: number): Promise<Observation> {
    const { cluster } = this;
    this.prober.forget(monotonicMs() - 2000);
    this.#rehearsal.begin();
    const unmet: string[] = [];
    for (const step of drill.before) await this.#step(step, undefined, unmet);
    const zero = monotonicMs();
    const closedBefore = this.prober.keptClosed;
    const marks: Mark[] = [];
    const promised: Promised[] = [];
    for (const step of drill.steps) {
      if (step.atMs !== undefined) await until(zero + step.atMs);
      const started = monotonicMs();
      const mark = (text: string, node: string) => {
        marks.push({ at: monotonicMs() - zero, kind: 'step', node, text });
      };
      const done = await this.#step(step, mark, unmet);
      if (done !== undefined)
        promised.push({ prediction: done.prediction, step: done.text, started, mute: this.#rehearsal.mute });
    }
    const end = monotonicMs();
    // A request that was sent before the end is accounted for when its client loses patience.
    const prober = this.prober;
    await cluster.until(
      'every request is accounted for',
      () => (prober.records.at(-1)?.finished ?? 0) > end + 950,
      5000,
    );
    const window = { from: zero - leadMs, to: end };
    const records = prober.records.filter(({ started }) => started >= window.from && started < end);
    const stalls = prober.stalls.filter((stall) => stall.to >= window.from && stall.from < end);
    const shift = (at: number) => at - zero;
    const changes = cluster.events.filter(({ kind }) => kind === 'state');
    const states = stateBands(changes, cluster.nodes, window.from, end);
    for (const event of cluster.events)
      if (event.at >= zero && event.at < end && event.kind !== 'log')
        marks.push({ at: shift(event.at), kind: event.kind, node: event.node, text: event.text });
    for (const text of unmet) marks.push({ at: shift(end), kind: 'problem', node: '', text });
    const unclean = await this.#repair();
    return {
      drill,
      engine: this.#engine.name,
      trial,
      from: -leadMs,
      to: shift(end),
      records: records.map((record) => shifted(record, zero)),
      stalls: stalls.map((stall) => ({ from: shift(stall.from), to: shift(stall.to) })),
      keptClosed: prober.keptClosed - closedBefore,
      marks: marks.sort((a, b) => a.at - b.at),
      states: states.map((band) => ({ ...band, from: shift(band.from), to: shift(band.to) })),
      holdings: cluster.addresses.holdings(window.from, end).map((each) => ({
        node: each.node,
        from: Math.max(-leadMs, shift(each.from)),
        to: shift(Math.min(end, each.to ?? end)),
        text: 'holds the address',
      })),
      predictions: checkPredictions(promised, states, zero, end),
      unmet,
      unclean,
    };
  }

  /** One step. Returns its prediction when it is a fault or a repair. */
  async #step(
    step: Step,
    mark: ((text: string, node: string) => void) | undefined,
    unmet: string[],
  ): Promise<Foreseen | undefined> {
    if (step.verb === 'hold') {
      await until(monotonicMs() + step.ms);
      return undefined;
    }
    const rehearsal = this.#rehearsal;
    if (step.verb === 'wait') {
      const condition = () => rehearsal.isMet(step.what, this.#scene());
      await this.cluster.until(step.what, condition, step.ms).catch((error: Error) => this.#failed(error, unmet));
      return undefined;
    }
    const foreseen = rehearsal.foresee(step, this.#scene());
    const { targets, text } = foreseen;
    mark?.(text, targets[0] ?? '');
    this.#events.told(monotonicMs(), 'step', targets[0] ?? '', text);
    rehearsal.lastChange = monotonicMs();
    await this.#actions!.perform(step, targets).catch((error: Error) => this.#failed(error, unmet));
    rehearsal.take(step, foreseen);
    return foreseen;
  }

  /** What was in vain is part of the verdict; the drill goes on. */
  #failed({ message }: Error, unmet: string[]): void {
    unmet.push(message);
    this.#events.told(monotonicMs(), 'problem', '', message);
  }

  #scene(): Scene {
    const { cluster, prober } = this;
    return { now: monotonicMs(), records: prober.records, stateOf: (node) => cluster.state(node) };
  }

  /** All is well for a moment. Throws Error when that can't be had. */
  async #steady(withinMs: number): Promise<void> {
    const { cluster } = this;
    const rehearsal = this.#rehearsal;
    rehearsal.mend(monotonicMs());
    let since: number | undefined;
    const { backend } = this.#loaded.topology;
    const inTurn = ['roundrobin', 'static-rr', 'leastconn', 'random'].includes(backend.balance.algorithm);
    const everybody = backend.servers.every(({ backup, disabled }) => !backup && !disabled) && inTurn;
    await cluster.until(
      'all is well',
      () => {
        const scene = this.#scene();
        rehearsal.expectEntitled(scene);
        const holders = cluster.addresses.holders().toSorted().join();
        const well =
          rehearsal.isSettled(scene) &&
          rehearsal.takePart(scene) &&
          holders === rehearsal.expected.join() &&
          (!everybody || rehearsal.serversAsExpected(scene));
        since = well ? (since ?? monotonicMs()) : undefined;
        return since !== undefined && monotonicMs() - since >= rehearsal.steadyMs;
      },
      withinMs,
    );
  }

  /** Puts all right again, and tells what did not come back by itself. A cluster that stays wrong is replaced. */
  async #repair(): Promise<readonly string[]> {
    this.#rehearsal.mend(monotonicMs());
    try {
      await this.#actions!.repair();
      await this.#steady(steadyWaitMs);
      return [];
    } catch (error) {
      const { cluster } = this;
      const states = cluster.nodeStates().map(([node, state]) => `${node} ${state ?? 'gone'}`);
      const holders = cluster.addresses.holders().join(' and ') || 'nobody';
      const what = `${(error as Error).message} (${states.join(', ')}; ${holders} with the address)`;
      this.#events.told(monotonicMs(), 'problem', '', what);
      await this.dispose();
      await this.start();
      return [what];
    }
  }

  #heard({ at, node, kind, text }: ClusterEvent): void {
    if (kind !== 'log') this.#events.told(at, kind, node, text);
  }
}

async function until(at: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - monotonicMs())));
}
