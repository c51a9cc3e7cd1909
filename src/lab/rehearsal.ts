/**
 * What is known and expected in the course of a drill: the situation that its steps have made, who should be active in it, and whether what
 * is seen is what was waited for. Pure: the same in the namespaces and in the simulator.
 */
import type { VrrpState } from './cluster.ts';
import type { Step } from './drill-file.ts';
import type { EngineTraits, PredictedNode, Prediction } from './predict.ts';
import { predict, restarted, settledActive } from './predict.ts';
import type { ProbeRecord } from './prober/outage.ts';
import { after, describeStep, healthy, type Situation } from './situation.ts';
import { serverNames, targetsOf } from './targets.ts';
import type { Topology } from './topology.ts';

/** A step that is about to be done. */
export interface Foreseen {
  readonly targets: readonly string[];
  readonly text: string;
  readonly prediction: Prediction;
  readonly next: Situation;
}

/** What a world shows at a moment; all times on its own clock. */
export interface Scene {
  readonly now: number;
  readonly records: readonly ProbeRecord[];
  stateOf(node: string): VrrpState | undefined;
}

/** Checks every ten seconds that must succeed twice have done so by then. */
const takePartMsMax = 25_000;

export class Rehearsal {
  situation: Situation;
  /** Who is expected to be active now. */
  expected: readonly string[] = [];
  /** When the last step was done. */
  lastChange = 0;
  readonly #topology: Topology;
  readonly #predicted: readonly PredictedNode[];
  readonly #engine: EngineTraits;
  /** Who was active when the drill began: with nopreempt any node may be. */
  #preferred = '';

  constructor(topology: Topology, predicted: readonly PredictedNode[], engine: EngineTraits) {
    this.#topology = topology;
    this.#predicted = predicted;
    this.#engine = engine;
    this.situation = this.#healthy();
  }

  /** All is well, and a drill begins. */
  begin(): void {
    this.situation = this.#healthy();
    this.#preferred = this.expected[0] ?? '';
  }

  /** Everything is being put right: what is expected from now on. */
  mend(now: number): void {
    this.situation = this.#healthy();
    this.lastChange = now;
  }

  /** Throws RangeError for a step on a node or server that is not there. */
  foresee(step: Step, scene: Scene): Foreseen {
    const world = { topology: this.#topology, active: this.#active(scene), preferred: this.#preferred };
    const targets = targetsOf(step.on, world);
    const next = after(this.situation, step, targets);
    // With Keepalived's timers it has heard the other one before it speaks.
    const wakes = step.verb === 'thaw' && this.#engine.actsAtOnce;
    const waking = wakes ? targets.filter((node) => scene.stateOf(node) === 'MASTER') : [];
    const change = [this.situation, next] as const;
    const prediction = predict(this.#predicted, this.#engine, this.expected, step, change, waking);
    return { targets, text: describeStep(step, targets), prediction, next };
  }

  /** The step was done. */
  take(step: Step, { next, prediction }: Foreseen): void {
    this.situation = this.#engine.restarts ? restarted(next, step) : next;
    this.expected = prediction.settled;
  }

  /** Nodes that can't say what they are. */
  get mute(): readonly string[] {
    return [...this.situation.nodes].filter(([, now]) => now.vrrp !== 'running').map(([node]) => node);
  }

  /** Expects whoever should be active when all is well: where nobody preempts, whoever is. */
  expectEntitled(scene: Scene): void {
    this.expected = settledActive(this.#predicted, this.#healthy(), this.#engine, this.#active(scene));
  }

  /**
   * Everybody takes part, after `mend`: a node whose checks have not succeeded yet is in FAULT, or waits, and could not take over. One that its
   * files keep there for ever is drilled as it is.
   */
  takePart(scene: Scene): boolean {
    if (scene.now - this.lastChange > takePartMsMax) return true;
    return [...this.situation.nodes.keys()].every((node) => {
      const state = scene.stateOf(node);
      return state === 'MASTER' || state === 'BACKUP';
    });
  }

  /**
   * For how long all must have been well before a fault, milliseconds: until every standby has heard the active node, and has had the second
   * that a BFD session may take to come up (RFC 5880 §6.8.3). A node that is back for a moment knows nobody yet.
   */
  get steadyMs(): number {
    return Math.max(...this.#predicted.map(({ router }) => router.settings.advertisementIntervalMs)) + 1_000;
  }

  /** What a `wait` step waits for. */
  isMet(what: string, scene: Scene): boolean {
    if (what === 'settled') return this.isSettled(scene);
    return what === 'answers' ? this.answers(scene) : this.serversAsExpected(scene);
  }

  /** The nodes are what the prediction says, and clients are answered again if they can be. */
  isSettled(scene: Scene): boolean {
    const fits = [...this.situation.nodes].every(([node, now]) => {
      const speaks = now.powered && now.vrrp === 'running';
      return !speaks || (scene.stateOf(node) === 'MASTER') === this.expected.includes(node);
    });
    const served = this.expected.some((node) => this.situation.nodes.get(node)?.balancer === 'serving');
    return fits && (!served || this.answers(scene));
  }

  /** Nothing failed of what was sent in the last moments, all of it after the last change. */
  answers({ now, records }: Scene): boolean {
    const from = Math.max(this.lastChange, now - 300);
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
  serversAsExpected({ now, records }: Scene): boolean {
    if (now - this.lastChange <= 1000) return false;
    const seen = new Set<string>();
    for (let i = records.length - 1; i >= 0; i--) {
      const { started, finished, server, outcome } = records[i]!;
      if (finished < now - 1000) break;
      if (started >= now - 1000 && outcome === 'ok') seen.add(server);
    }
    return [...this.situation.servers].every(([server, well]) => well === seen.has(server));
  }

  #active(scene: Scene): readonly string[] {
    return [...this.situation.nodes.keys()].filter((node) => scene.stateOf(node) === 'MASTER');
  }

  #healthy(): Situation {
    const { nodes } = this.#topology;
    return healthy(
      nodes.map(({ name }) => name),
      serverNames(this.#topology),
    );
  }
}
