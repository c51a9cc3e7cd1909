/**
 * Runs drills on a cluster, one after the other: steady state, prediction, fault, observation, repair, verdict. The load never stops, so that
 * what happens between two steps is seen as well.
 */
import { Actions } from './actions.ts';
import { Cluster, type ClusterEvent } from './cluster.ts';
import type { Drill, Step } from './drill-file.ts';
import type { Engine } from './engine.ts';
import type { LoadedCluster } from './load-cluster.ts';
import { type Prediction, predict, restarted, settledActive } from './predict.ts';
import { monotonicMs } from './prober/load.ts';
import type { ProbeRecord } from './prober/outage.ts';
import { Prober } from './prober/prober.ts';
import { after, describeStep, healthy, type Situation } from './situation.ts';
import { serverNames, targetsOf } from './targets.ts';
import type { Band, CheckedPrediction, Mark, Observation } from './verdict.ts';

export interface RunnerEvents {
  /** Something worth a line, `at` on the monotonic clock. */
  readonly told: (at: number, kind: Mark['kind'], node: string, text: string) => void;
}

/** Shown before the first step, milliseconds: what all was well looks like. */
const leadMs = 300;
/** How long all must be well before a drill begins, and how long that may take. */
const steadyMs = 500;
const steadyWaitMs = 40_000;

export class Runner {
  readonly #loaded: LoadedCluster;
  readonly #engine: Engine;
  readonly #events: RunnerEvents;
  #cluster: Cluster | undefined;
  #actions: Actions | undefined;
  #prober: Prober | undefined;
  #situation: Situation;
  /** Who is expected to be active now. */
  #expected: readonly string[] = [];
  /** Who was active when the drill began: with nopreempt any node may be. */
  #preferred = '';
  #lastChange = 0;

  constructor(loaded: LoadedCluster, engine: Engine, events: RunnerEvents) {
    this.#loaded = loaded;
    this.#engine = engine;
    this.#events = events;
    this.#situation = this.#healthy();
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
    this.#situation = this.#healthy();
    await this.#steady();
  }

  async dispose(): Promise<void> {
    await this.#prober?.stop();
    await this.#cluster?.dispose();
    this.#cluster = undefined;
  }

  async run(drill: Drill, trial: number): Promise<Observation> {
    const { cluster } = this;
    this.prober.forget(monotonicMs() - 2000);
    this.#situation = this.#healthy();
    this.#preferred = this.#expected[0] ?? '';
    const unmet: string[] = [];
    for (const step of drill.before) await this.#step(step, undefined, unmet);
    const zero = monotonicMs();
    const closedBefore = this.prober.keptClosed;
    const marks: Mark[] = [];
    const predictions: (CheckedPrediction & { readonly started: number; readonly mute: readonly string[] })[] = [];
    for (const step of drill.steps) {
      if (step.atMs !== undefined) await until(zero + step.atMs);
      const started = monotonicMs();
      const done = await this.#step(
        step,
        (text, node) => {
          marks.push({ at: monotonicMs() - zero, kind: 'step', node, text });
        },
        unmet,
      );
      if (done !== undefined)
        predictions.push({
          ...done.prediction,
          at: started - zero,
          step: done.text,
          seen: [],
          held: true,
          started,
          mute: [...this.#situation.nodes].filter(([, now]) => now.vrrp !== 'running').map(([node]) => node),
        });
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
    const states = stateBands(cluster.events, cluster.nodes, window.from, end);
    const checked = predictions.map(({ started, mute, ...prediction }, i) =>
      checkPrediction(prediction, states, mute, [started, predictions[i + 1]?.started ?? end]),
    );
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
      predictions: checked,
      unmet,
      unclean,
    };
  }

  /** One step. Returns its prediction when it is a fault or a repair. */
  async #step(
    step: Step,
    mark: ((text: string, node: string) => void) | undefined,
    unmet: string[],
  ): Promise<{ readonly prediction: Prediction; readonly text: string } | undefined> {
    if (step.verb === 'hold') {
      await until(monotonicMs() + step.ms);
      return undefined;
    }
    if (step.verb === 'wait') {
      await this.#wait(step).catch((error: Error) => {
        unmet.push(error.message);
        this.#events.told(monotonicMs(), 'problem', '', error.message);
      });
      return undefined;
    }
    const { topology, predicted } = this.#loaded;
    const active = this.cluster.nodes.filter((node) => this.cluster.state(node) === 'MASTER');
    const targets = targetsOf(step.on, { topology, active, preferred: this.#preferred });
    const before = this.#situation;
    const next = after(before, step, targets);
    const prediction = predict(predicted, this.#engine, this.#expected, step, [before, next]);
    const text = describeStep(step, targets);
    mark?.(text, targets[0] ?? '');
    this.#events.told(monotonicMs(), 'step', targets[0] ?? '', text);
    this.#lastChange = monotonicMs();
    await this.#actions!.perform(step, targets);
    this.#situation = this.#engine.restarts ? restarted(next, step) : next;
    this.#expected = prediction.settled;
    return { prediction, text };
  }

  async #wait({ what, ms }: Step): Promise<void> {
    const conditions = {
      settled: () => this.#isSettled(),
      answers: () => this.#answers(),
      servers: () => this.#serversAsExpected(),
    };
    await this.cluster.until(what, conditions[what as keyof typeof conditions], ms);
  }

  /** The nodes are what the prediction says, and clients are answered again if they can be. */
  #isSettled(): boolean {
    const { cluster } = this;
    const fits = cluster.nodes.every((node) => {
      const now = this.#situation.nodes.get(node)!;
      const speaks = now.powered && now.vrrp === 'running';
      return !speaks || (cluster.state(node) === 'MASTER') === this.#expected.includes(node);
    });
    return fits && (this.#expected.length === 0 || !this.#serviceExpected() || this.#answers());
  }

  #serviceExpected(): boolean {
    return this.#expected.some((node) => this.#situation.nodes.get(node)?.balancer === 'serving');
  }

  /** Nothing failed of what was sent in the last moments, all of it after the last change. */
  #answers(): boolean {
    const { records } = this.prober;
    const from = Math.max(this.#lastChange, monotonicMs() - 300);
    let seen = 0;
    for (let i = records.length - 1; i >= 0; i--) {
      const { started, finished, outcome } = records[i]!;
      if (finished < from) break;
      if (started < from) continue;
      if (outcome !== 'ok') return false;
      seen++;
    }
    return seen >= 20;
  }

  /** In the last second every server that is well has answered, and no other. */
  #serversAsExpected(): boolean {
    const { records } = this.prober;
    const from = Math.max(this.#lastChange, monotonicMs() - 1000);
    const seen = new Set<string>();
    for (let i = records.length - 1; i >= 0; i--) {
      const { started, finished, server, outcome } = records[i]!;
      if (finished < from) break;
      if (started >= from && outcome === 'ok') seen.add(server);
    }
    const { servers } = this.#situation;
    const known = [...servers].every(([server, well]) => well === seen.has(server));
    return known && monotonicMs() - this.#lastChange > 1000;
  }

  /** All is well for a moment. Throws Error when that can't be had. */
  async #steady(): Promise<void> {
    const { cluster } = this;
    this.#lastChange = monotonicMs();
    let since: number | undefined;
    const { backend } = this.#loaded.topology;
    const inTurn = ['roundrobin', 'static-rr', 'leastconn', 'random'].includes(backend.balance.algorithm);
    const everybody = backend.servers.every(({ backup, disabled }) => !backup && !disabled) && inTurn;
    await cluster.until(
      'all is well',
      () => {
        this.#expected = this.#entitled();
        const holders = cluster.addresses.holders().toSorted().join();
        const well =
          this.#isSettled() && holders === this.#expected.join() && (!everybody || this.#serversAsExpected());
        since = well ? (since ?? monotonicMs()) : undefined;
        return since !== undefined && monotonicMs() - since >= steadyMs;
      },
      steadyWaitMs,
    );
  }

  /** Puts all right again, and tells what did not come back by itself. A cluster that stays wrong is replaced. */
  async #repair(): Promise<readonly string[]> {
    this.#situation = this.#healthy();
    try {
      await this.#actions!.repair();
      await this.#steady();
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

  #healthy(): Situation {
    const { topology } = this.#loaded;
    return healthy(
      topology.nodes.map(({ name }) => name),
      serverNames(topology),
    );
  }

  /** Who should be active when all is well: where nobody preempts, whoever is. */
  #entitled(): readonly string[] {
    const active = this.cluster.nodes.filter((node) => this.cluster.state(node) === 'MASTER');
    return settledActive(this.#loaded.predicted, this.#healthy(), this.#engine, active);
  }

  #heard({ at, node, kind, text }: ClusterEvent): void {
    if (kind !== 'log') this.#events.told(at, kind, node, text);
  }
}

/** When each node was in which state. */
function stateBands(events: readonly ClusterEvent[], nodes: readonly string[], from: number, to: number): Band[] {
  return nodes.flatMap((node) => {
    const bands: Band[] = [];
    const own = events.filter((event) => event.node === node && event.kind === 'state' && event.at < to);
    for (const [i, { at, text }] of own.entries()) {
      const end = own[i + 1]?.at ?? to;
      if (end > from) bands.push({ node, from: Math.max(from, at), to: end, text });
    }
    return bands;
  });
}

/** @param mute nodes that can't say what they are. A prediction holds when who should be active was, and nobody else but who is expected in the end. */
function checkPrediction(
  prediction: Omit<CheckedPrediction, 'seen' | 'held'>,
  states: readonly Band[],
  mute: readonly string[],
  [from, to]: readonly [number, number],
): CheckedPrediction {
  const masters = states.filter(
    (band) => band.text === 'MASTER' && band.to > from && band.from < to && !mute.includes(band.node),
  );
  const entered = masters.filter((band) => band.from >= from || band.to >= to);
  const seen = [...new Set(entered.map(({ node }) => node))].sort();
  const { active, settled, passing = [] } = prediction;
  const held =
    active.every((node) => seen.includes(node)) &&
    seen.every((node) => [...active, ...settled, ...passing].includes(node));
  return { ...prediction, seen, held };
}

function shifted(record: ProbeRecord, zero: number): ProbeRecord {
  return { ...record, due: record.due - zero, started: record.started - zero, finished: record.finished - zero };
}

async function until(at: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - monotonicMs())));
}
