/**
 * A drill in virtual time: the same file, the same prediction, the same conditions and the same judge as in the namespaces
 * (src/lab/runner.ts), around another world. A drill takes milliseconds, and the same seed gives the same run.
 */
import type { Drill, Step, Verb } from '../../src/lab/drill-file.ts';
import type { Engine } from '../../src/lab/engine.ts';
import type { LoadedCluster } from '../../src/lab/load-cluster.ts';
import { checkPredictions, type Promised, shifted, stateBands } from '../../src/lab/observed.ts';
import { defaultLoad } from '../../src/lab/prober/load.ts';
import { Rehearsal, type Scene } from '../../src/lab/rehearsal.ts';
import type { Mark, Observation } from '../../src/lab/verdict.ts';
import { SeededRandom } from '../clock.ts';
import { SimulatedCluster, type SimulatedEvent } from './simulated-cluster.ts';

export interface SimulationEvents {
  /** A drill begins; times count from here. */
  readonly begins?: (at: number) => void;
  readonly told?: (at: number, kind: Mark['kind'], node: string, text: string) => void;
}

/** Shown before the first step, milliseconds; how long it may take until all is well. */
const leadMs = 300;
const steadyWaitMs = 120_000;
const repairWaitMs = 40_000;

/** Faults that need something the simulator does not have, by verb and what follows it. */
const unknownVerbs: Partial<Record<Verb, string>> = {
  answer: 'web servers',
  overload: 'load',
  descriptors: 'descriptors',
};

/** Why a drill can't be played, in words for the operator; undefined when it can. */
export function whyNotSimulated({ before, steps }: Drill): string | undefined {
  for (const step of [...before, ...steps]) {
    const missing = missingFor(step);
    if (missing !== undefined)
      return `the simulator has no ${missing}: it plays the nodes, their links and their addresses`;
  }
  return undefined;
}

function missingFor({ verb, what }: Step): string | undefined {
  if (verb === 'wait') return what === 'servers' ? 'web servers' : undefined;
  if (what === 'server') return 'web servers';
  if (what === 'log') return 'log receiver';
  return unknownVerbs[verb];
}

/** @param drill for which `whyNotSimulated` knows no reason. @param seed with the trial decides what is left to chance. */
export function simulateDrill(
  loaded: LoadedCluster,
  engine: Engine,
  drill: Drill,
  trial: number,
  seed: number,
  events: SimulationEvents = {},
): Observation {
  return new Simulation(loaded, engine, seed * 1000 + trial, events).run(drill, trial);
}

class Simulation {
  readonly #engine: Engine;
  readonly #events: SimulationEvents;
  readonly #cluster: SimulatedCluster;
  readonly #rehearsal: Rehearsal;
  readonly #nodes: readonly string[];
  readonly #longestPauseMs: number;
  readonly #chance: SeededRandom;

  constructor(loaded: LoadedCluster, engine: Engine, seed: number, events: SimulationEvents) {
    const { topology, predicted } = loaded;
    this.#engine = engine;
    this.#events = events;
    this.#chance = new SeededRandom(seed);
    this.#cluster = new SimulatedCluster(loaded, engine, this.#chance.uint32());
    this.#rehearsal = new Rehearsal(topology, predicted, engine);
    this.#nodes = topology.nodes.map(({ name }) => name);
    this.#longestPauseMs = Math.max(
      ...predicted.flatMap(({ plan, router }) => [
        router.settings.advertisementIntervalMs,
        ...plan.scripts.map(({ intervalMs }) => intervalMs),
      ]),
    );
  }

  run(drill: Drill, trial: number): Observation {
    const cluster = this.#cluster;
    const rehearsal = this.#rehearsal;
    const unmet: string[] = [];
    if (!this.#steady(steadyWaitMs)) unmet.push(`all is well: not within ${steadyWaitMs / 1000} s`);
    // A fault comes at any moment within the intervals of advertisements and scripts.
    cluster.advance((this.#chance.uint32() / 2 ** 32) * this.#longestPauseMs);
    rehearsal.begin();
    for (const step of drill.before) this.#step(step, unmet);
    const zero = cluster.now();
    this.#events.begins?.(zero);
    cluster.onEvent = ({ at, kind, node, text }) => this.#events.told?.(at, kind, node, text);
    const marks: Mark[] = [];
    const promised: Promised[] = [];
    for (const step of drill.steps) {
      if (step.atMs !== undefined) cluster.advance(Math.max(0, zero + step.atMs - cluster.now()));
      const started = cluster.now();
      const done = this.#step(step, unmet);
      if (done === undefined) continue;
      marks.push({ at: started - zero, kind: 'step', node: done.targets[0] ?? '', text: done.text });
      promised.push({ prediction: done.prediction, step: done.text, started, mute: rehearsal.mute });
    }
    const end = cluster.now();
    cluster.advance(defaultLoad.patienceMs + 50);
    const from = zero - leadMs;
    const within = (event: SimulatedEvent) => event.at >= zero && event.at < end;
    for (const { at, kind, node, text } of cluster.events.filter(within))
      marks.push({ at: at - zero, kind, node, text });
    for (const text of unmet) marks.push({ at: end - zero, kind: 'problem', node: '', text });
    const states = stateBands(
      cluster.events.filter(({ kind }) => kind === 'state'),
      this.#nodes,
      from,
      end,
    );
    const records = cluster.clients.records.filter(({ started }) => started >= from && started < end);
    const holdings = cluster.holdings.filter((each) => each.from < end && (each.to ?? end) >= from);
    return {
      drill,
      engine: this.#engine.name,
      trial,
      from: -leadMs,
      to: end - zero,
      records: records.map((record) => shifted(record, zero)),
      stalls: [],
      keptClosed: 0,
      marks: marks.sort((a, b) => a.at - b.at),
      states: states.map((band) => ({ ...band, from: band.from - zero, to: band.to - zero })),
      holdings: holdings.map((each) => ({
        node: each.node,
        from: Math.max(-leadMs, each.from - zero),
        to: Math.min(end, each.to ?? end) - zero,
        text: 'holds the address',
      })),
      predictions: checkPredictions(promised, states, zero, end),
      unmet,
      unclean: this.#repair(),
    };
  }

  #step(step: Step, unmet: string[]): ReturnType<Rehearsal['foresee']> | undefined {
    const cluster = this.#cluster;
    const rehearsal = this.#rehearsal;
    if (step.verb === 'hold') cluster.advance(step.ms);
    else if (step.verb === 'wait') {
      const met = () => rehearsal.isMet(step.what, this.#scene());
      if (!met() && cluster.advance(step.ms, met)) {
        const text = `${step.what}: not within ${step.ms / 1000} s`;
        unmet.push(text);
        this.#events.told?.(cluster.now(), 'problem', '', text);
      }
    } else {
      const foreseen = rehearsal.foresee(step, this.#scene());
      this.#events.told?.(cluster.now(), 'step', foreseen.targets[0] ?? '', foreseen.text);
      rehearsal.lastChange = cluster.now();
      cluster.perform(step, foreseen.targets);
      rehearsal.take(step, foreseen);
      return foreseen;
    }
    return undefined;
  }

  #repair(): readonly string[] {
    const cluster = this.#cluster;
    cluster.repair();
    if (this.#steady(repairWaitMs)) return [];
    const states = this.#nodes.map((node) => `${node} ${cluster.stateOf(node) ?? 'gone'}`);
    const holders = cluster.holders().join(' and ') || 'nobody';
    return [`all is well: not within ${repairWaitMs / 1000} s (${states.join(', ')}; ${holders} with the address)`];
  }

  /** Waits until all is well for a moment. */
  #steady(ms: number): boolean {
    const cluster = this.#cluster;
    const rehearsal = this.#rehearsal;
    rehearsal.mend(cluster.now());
    let since: number | undefined;
    return !cluster.advance(ms, () => {
      const scene = this.#scene();
      rehearsal.expectEntitled(scene);
      const settled = rehearsal.takePart(scene) && rehearsal.isSettled(scene);
      const well = settled && cluster.holders().toSorted().join() === rehearsal.expected.join();
      since = well ? (since ?? scene.now) : undefined;
      return since !== undefined && scene.now - since >= rehearsal.steadyMs;
    });
  }

  #scene(): Scene {
    const cluster = this.#cluster;
    return { now: cluster.now(), records: cluster.clients.records, stateOf: (node) => cluster.stateOf(node) };
  }
}
