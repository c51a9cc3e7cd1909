/**
 * The prediction: who has the address after a step and how long clients may wait, from the protocol's own election
 * (src/core/vrrp/election.ts) and the files. Pure; said before the fault is done.
 */
import { peerBfd, vrrpDaemon } from '../core/limits.ts';
import { type ElectionNode, elect, isAble, takeOver } from '../core/vrrp/election.ts';
import { runningPriority, type Tracked } from '../core/vrrp/tracking.ts';
import type { VirtualRouterPlan, VrrpPlan } from '../plan/vrrp.ts';
import type { Step } from './drill-file.ts';
import type { NodeSituation, Situation } from './situation.ts';

export interface PredictedNode {
  readonly name: string;
  readonly plan: VrrpPlan;
  readonly router: VirtualRouterPlan;
  /** The address it sends from. */
  readonly source: string;
}

/** What the engine knows of its balancer, and whether it starts again what died. */
export interface EngineTraits {
  readonly readinessIsTold: boolean;
  readonly restarts: boolean;
  /** Takes over at once on hearing priority 0, and puts back an address that somebody deleted; Keepalived waits out its skew, and steps down for a moment. */
  readonly actsAtOnce: boolean;
}

export interface Prediction {
  /** Who is expected to hold the address once this step has had its effect; several when they can't hear each other. */
  readonly active: readonly string[];
  /** Who has it once what died is started again; the same as `active` without that. */
  readonly settled: readonly string[];
  /** Who may have it in between, without need. */
  readonly passing?: readonly string[];
  /** Longest outage that the configuration allows; undefined: until somebody repairs it. */
  readonly outageMaxMs: number | undefined;
  /** How that number comes about. */
  readonly formula: string;
}

/** Who should be active in a situation that nothing happened in. */
export function settledActive(
  nodes: readonly PredictedNode[],
  situation: Situation,
  engine: EngineTraits,
  before: readonly string[],
): readonly string[] {
  const candidates = nodes.map((node) => candidate(node, situation, engine));
  const order = candidates.toSorted((a, b) => b.tracking.priority - a.tracking.priority);
  const active: ElectionNode[] = [];
  for (const node of order) {
    if (!isAble(node)) continue;
    const heard = active.filter((other) => hears(situation, node.name, other.name));
    // Of two that were active and hear each other again the higher one stays, preempting or not.
    const was = [...heard, node].find(({ name }) => before.includes(name))?.name;
    if (elect([node, ...heard], was).active === node.name) {
      // Who preempts not may keep the address from a higher one, which then is no longer active.
      for (const other of heard) if (hears(situation, other.name, node.name)) active.splice(active.indexOf(other), 1);
      active.push(node);
    }
  }
  return active.map(({ name }) => name).sort();
}

/**
 * @param before who held the address; @param situation, @param next as they are without and with the step's effect; @param waking who will
 * run again and still believe to be active.
 */
export function predict(
  nodes: readonly PredictedNode[],
  engine: EngineTraits,
  before: readonly string[],
  step: Step,
  [situation, next]: readonly [Situation, Situation],
  waking: readonly string[] = [],
): Prediction {
  const active = settledActive(nodes, next, engine, [...before, ...waking]);
  // What comes back finds another one active.
  const settled = engine.restarts ? settledActive(nodes, restarted(next, step), engine, active) : active;
  const [old] = before;
  const same = (outageMaxMs: number | undefined, formula: string): Prediction => ({
    active,
    settled,
    outageMaxMs,
    formula,
  });
  if (step.verb === 'stall') return stallPrediction(nodes, engine, before, step, situation);
  if (old === undefined || before.length > 1)
    return same(undefined, before.length > 1 ? 'a split heals' : 'nobody had the address');
  const after = nodes.map((node) => candidate(node, next, engine));
  const step_ = takeOver(after, old, step.verb === 'stop');
  if (!anyServer(next)) return same(undefined, 'no server is left');
  if (step.verb === 'delete' && !engine.actsAtOnce) {
    const { maxMs, formula } = takeOver(
      after.map((node) => ({ ...node, present: node.name !== old })),
      old,
      true,
    );
    return same(maxMs, `it steps down: ${formula}`);
  }
  if (canServe(next, old) && active.includes(old)) return same(0, 'the active node goes on');
  const stays = after.some((node) => node.name === old && isAble(node)) || holdsOn(next.nodes.get(old)!);
  if (canServe(next, old) && stays && !(engine.restarts && step.verb === 'kill'))
    return same(0, 'the old one goes on serving until another takes over');
  const detection = detectionMs(nodes.find(({ name }) => name === old)!, engine, next.nodes.get(old)!);
  if (active.length === 0) return same(undefined, 'nobody can take over');
  if (active.includes(old) || detection === undefined) return same(undefined, 'the failure is not noticed');
  if (step_.kind === 'stays' || step_.kind === 'nobody') return same(undefined, step_.formula);
  if (step_.kind === 'silent' && engine.actsAtOnce && nodes.every(({ router }) => router.settings.peerBfd !== false)) {
    // The sessions follow each other's lateness up to this (core/limits.ts); on an idle machine it is two packets.
    const watchedMs = peerBfd.silenceMsMax;
    if (watchedMs < step_.maxMs)
      return same(watchedMs, `the nodes watch each other and bear with ${watchedMs} ms of silence at most`);
  }
  const noticed = detection > 0 ? `noticed within ${round(detection)} ms, then ` : '';
  return same(detection + step_.maxMs, `${noticed}${step_.formula}`);
}

/** A stop of everything for a known time: shorter than the others' patience it changes nothing. */
function stallPrediction(
  nodes: readonly PredictedNode[],
  engine: EngineTraits,
  before: readonly string[],
  step: Step,
  situation: Situation,
): Prediction {
  const [old = ''] = before;
  const settled = settledActive(nodes, situation, engine, before);
  const without = nodes.map((node) => ({
    ...candidate(node, situation, engine),
    ...(node.name === old ? { present: false } : {}),
  }));
  const { minMs, maxMs, formula, active: successor } = takeOver(without, old);
  // Evergate's nodes watch each other far more closely than the advertisements do.
  const passing = successor !== undefined && (engine.actsAtOnce || step.ms > minMs) ? [successor] : [];
  if (step.what === 'balancer')
    return { active: settled, settled, outageMaxMs: step.ms, formula: `it stands still for ${step.ms} ms` };
  if (step.what === 'vrrp') return { active: settled, settled, outageMaxMs: 0, formula: 'the balancer goes on' };
  const known = `it stands still for ${step.ms} ms`;
  return {
    active: settled,
    settled,
    passing,
    outageMaxMs: step.ms <= minMs ? step.ms : Math.min(step.ms, maxMs),
    formula: step.ms <= minMs ? known : `${known}; ${formula}`,
  };
}

function candidate(node: PredictedNode, situation: Situation, engine: EngineTraits): ElectionNode {
  const now = situation.nodes.get(node.name)!;
  const settings = engine.actsAtOnce ? node.router.settings : { ...node.router.settings, resignIsImmediate: false };
  return {
    name: node.name,
    settings,
    source: node.source,
    tracking: runningPriority(settings.basePriority, tracked(node, now)),
    present: now.powered && now.linked && now.vrrp === 'running',
    // A balancer without servers still answers (503); it costs every node the same priority, so it moves nothing here.
    serving: !engine.readinessIsTold || now.balancer === 'serving',
  };
}

function tracked({ plan, router }: PredictedNode, now: NodeSituation): readonly Tracked[] {
  const up = (well: boolean): Tracked['result'] => (well ? 'well' : 'failed');
  return [
    ...router.trackScripts.map(({ target, name, weight, reverse }): Tracked => {
      const words = plan.scripts[target]!.command.argv.join(' ');
      return { name: `script ${name}`, weight, reverse, result: up(!asksForBalancer(words) || answers(words, now)) };
    }),
    ...router.trackProcesses.map(({ target, name, weight, reverse }): Tracked => {
      const { process } = plan.processes[target]!;
      return {
        name: `process ${name}`,
        weight,
        reverse,
        result: up(!asksForBalancer(process) || now.balancer !== 'dead'),
      };
    }),
    ...router.trackInterfaces.map(
      ({ name, weight, reverse }): Tracked => ({ name: `interface ${name}`, weight, reverse, result: up(now.linked) }),
    ),
    ...router.trackFiles.map(({ target, name, weight, reverse }): Tracked => {
      const { initial } = plan.files[target]!;
      return { name: `file ${name}`, weight, reverse, result: initial?.value ?? 0 };
    }),
  ];
}

/** A script whose words, or whose path, speak of the balancer; the others are taken as succeeding. */
function asksForBalancer(words: string): boolean {
  return /haproxy|killall|pidof|pgrep|curl|wget|\bnc\b|socat|check|chk|health/i.test(words);
}

/** A process that is only looked for exists even while it is frozen. */
function answers(words: string, { balancer }: NodeSituation): boolean {
  return balancer === 'serving' || (balancer === 'frozen' && !/curl|wget|\bnc\b|socat/.test(words));
}

/** How long until the node itself acts on its balancer's failure; undefined: never. 0 also where the node as a whole is gone. */
function detectionMs({ plan, router }: PredictedNode, engine: EngineTraits, now: NodeSituation): number | undefined {
  if (!now.powered || !now.linked || now.vrrp !== 'running') return 0;
  if (engine.readinessIsTold) return now.balancer === 'frozen' ? vrrpDaemon.beatSilenceMsMax : 0;
  const times = [
    ...router.trackProcesses
      .filter(({ target }) => asksForBalancer(plan.processes[target]!.process) && now.balancer === 'dead')
      .map(({ target }) => plan.processes[target]!.terminateDelayMs),
    ...router.trackScripts
      .map(({ target }) => plan.scripts[target]!)
      .filter(({ command }) => {
        const words = command.argv.join(' ');
        return asksForBalancer(words) && !answers(words, now);
      })
      .map(({ intervalMs, fall }) => intervalMs * fall),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Could clients be answered there, if they got there? */
function canServe(situation: Situation, name: string): boolean {
  const now = situation.nodes.get(name)!;
  return now.powered && now.linked && now.balancer === 'serving' && anyServer(situation);
}

/** A VRRP daemon that was killed or frozen leaves the address where it was. */
function holdsOn({ vrrp, powered }: NodeSituation): boolean {
  return powered && vrrp !== 'running';
}

function anyServer({ servers }: Situation): boolean {
  return servers.size === 0 || [...servers.values()].some((well) => well);
}

function hears(situation: Situation, listener: string, speaker: string): boolean {
  const [to, from] = [situation.nodes.get(listener)!, situation.nodes.get(speaker)!];
  return to.hears && from.isHeard && to.linked && from.linked;
}

/** A half that was killed comes back by itself; a frozen one does not. */
export function restarted(situation: Situation, step: Step): Situation {
  if (step.verb !== 'kill' || step.what === 'both') return situation;
  return {
    ...situation,
    nodes: new Map(
      [...situation.nodes].map(([name, now]) => [
        name,
        {
          ...now,
          vrrp: now.vrrp === 'dead' && step.what === 'vrrp' ? 'running' : now.vrrp,
          balancer: now.balancer === 'dead' && step.what === 'balancer' ? 'serving' : now.balancer,
        },
      ]),
    ),
  };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
