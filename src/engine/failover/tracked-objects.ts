/** Everything that virtual routers track, watched once however many routers track it, and what it says for each of them. */

import { withoutServersWeight } from '../../core/limits.ts';
import type { TrackingResult } from '../../core/vrrp/events.ts';
import { runningPriority, type Tracked } from '../../core/vrrp/tracking.ts';
import type {
  SyncGroupPlan,
  TrackedFilePlan,
  TrackedProcessPlan,
  TrackReference,
  VirtualRouterPlan,
  VrrpPlan,
} from '../../plan/vrrp.ts';
import type { Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { Scripts } from '../ports/scripts.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import { ScriptTracker } from './script-tracker.ts';

interface World {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly links: Links;
  readonly scripts: Scripts;
  /** What the plan's BFD session of that number says. Absent: they count as down. */
  bfdResult?(session: number): 'well' | 'failed';
  /** Is all there that static lines with that track_group ask for? Absent: always. */
  staticsWhole?(group: string): boolean;
  /** Whether the balancer of this node has a server left to hand requests to. Absent: there is no balancer beside this daemon. */
  serversLeft?(): boolean;
}

type References = Pick<
  SyncGroupPlan,
  'trackScripts' | 'trackInterfaces' | 'trackFiles' | 'trackProcesses' | 'trackBfd'
>;

export class TrackedObjects {
  readonly #world: World;
  readonly #scripts: readonly (ScriptTracker | undefined)[];
  readonly #files: readonly FileTracker[];
  readonly #processes: readonly ProcessTracker[];

  /**
   * @param unusable scripts (by index) that must not be run: insecure, or not there.
   * @param changed something may have another result than before. The same function must be given after a reload.
   * @param previous what was tracked before a reload: what is configured the same goes on with its results. The rest is closed.
   */
  constructor(
    plan: VrrpPlan,
    world: World,
    unusable: ReadonlySet<number>,
    changed: () => void,
    previous?: TrackedObjects,
  ) {
    this.#world = world;
    const before = {
      scripts: previous ? previous.#scripts : [],
      files: previous ? previous.#files : [],
      processes: previous ? previous.#processes : [],
    };
    this.#scripts = plan.scripts.map((script, index) => {
      if (unusable.has(index) || !isTracked(plan, index)) return undefined;
      return kept(before.scripts, script) ?? new ScriptTracker(script, world, changed);
    });
    this.#files = plan.files.map((file) => kept(before.files, file) ?? new FileTracker(file, world, changed));
    this.#processes = plan.processes.map(
      (process) => kept(before.processes, process) ?? new ProcessTracker(process, world, changed),
    );
    const goOn = new Set<unknown>([...this.#scripts, ...this.#files, ...this.#processes]);
    for (const tracker of previous?.all() ?? []) if (!goOn.has(tracker)) tracker.close();
  }

  close(): void {
    for (const tracker of this.all()) tracker.close();
  }

  *all(): Generator<{ close(): void }> {
    for (const script of this.#scripts) if (script !== undefined) yield script;
    yield* this.#files;
    yield* this.#processes;
  }

  scripts(): readonly (ScriptTracker | undefined)[] {
    return this.#scripts;
  }

  files(): readonly { readonly value: number }[] {
    return this.#files;
  }

  processes(): readonly Pick<ProcessTracker, 'count' | 'result' | 'waitsFor'>[] {
    return this.#processes;
  }

  bfdResult(session: number): 'well' | 'failed' {
    return this.#world.bfdResult?.(session) ?? 'failed';
  }

  /** What all this means for one router; `group` is its sync group, whose tracked objects count for every member. */
  resultFor(router: VirtualRouterPlan, group: SyncGroupPlan | undefined): TrackingResult {
    return runningPriority(router.settings.basePriority, this.trackedBy(router, group));
  }

  /** Everything that counts for one router, with its result now. */
  trackedBy(router: VirtualRouterPlan, group: SyncGroupPlan | undefined): readonly Tracked[] {
    const own = [
      ...this.#tracked(router),
      ...this.#statics(router),
      ...(group === undefined ? [] : this.#tracked(group)),
    ];
    if (this.#world.serversLeft === undefined) return own;
    const result = this.#world.serversLeft() ? 'well' : 'failed';
    return [...own, { name: "the balancer's servers", weight: withoutServersWeight, reverse: false, result }];
  }

  #statics({ trackGroups = [] }: VirtualRouterPlan): Tracked[] {
    return trackGroups.map((name) => ({
      name: `track_group ${name}`,
      weight: 0,
      reverse: false,
      result: this.#world.staticsWhole?.(name) === false ? 'failed' : 'well',
    }));
  }

  *#tracked(references: References): Generator<Tracked> {
    for (const reference of references.trackScripts) {
      const script = this.#scripts[reference.target];
      if (script !== undefined) yield describe('script', reference, script.result);
    }
    for (const reference of references.trackInterfaces) {
      const link = this.#world.links.link(reference.name);
      yield describe('interface', reference, link?.running ? 'well' : 'failed');
    }
    for (const reference of references.trackFiles)
      yield describe('file', reference, this.#files[reference.target]?.value ?? 0);
    for (const reference of references.trackProcesses)
      yield describe('process', reference, this.#processes[reference.target]?.result ?? 'unknown');
    for (const reference of references.trackBfd) yield describe('bfd', reference, this.bfdResult(reference.target));
  }
}

function describe(kind: string, reference: TrackReference, result: Tracked['result']): Tracked {
  return { name: `${kind} ${reference.name}`, weight: reference.weight, reverse: reference.reverse, result };
}

function isTracked(plan: VrrpPlan, script: number): boolean {
  return [...plan.routers, ...plan.syncGroups].some((owner) =>
    owner.trackScripts.some((reference) => reference.target === script),
  );
}

/** A tracker whose configuration is the same in every word. */
function kept<T extends { readonly plan: unknown }>(
  previous: readonly (T | undefined)[] | undefined,
  plan: unknown,
): T | undefined {
  const wanted = JSON.stringify(plan);
  return previous?.find((tracker) => tracker !== undefined && JSON.stringify(tracker.plan) === wanted);
}

/** `track_file`: a number, and what it is multiplied with is the weight. */
class FileTracker {
  readonly plan: TrackedFilePlan;
  readonly #watch: { close(): void };
  value = 0;

  constructor(plan: TrackedFilePlan, world: World, changed: () => void) {
    this.plan = plan;
    if (plan.initial !== undefined) {
      const failure = world.scripts.writeFile(plan.path, plan.initial.value, plan.initial.overwrite);
      if (failure !== undefined) world.journal.log('err', `Unable to write track file ${plan.path}: ${failure}`);
    }
    this.#watch = world.scripts.watchFile(plan.path, (value) => {
      this.value = value;
      changed();
    });
  }

  close(): void {
    this.#watch.close();
  }
}

/** `track_process` with its quorum and delays (keepalived.conf(5)). */
class ProcessTracker {
  readonly plan: TrackedProcessPlan;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #alarm: Alarm;
  readonly #watch: { close(): void };
  #count: number | undefined;
  #result: 'well' | 'failed' | 'unknown' = 'unknown';

  constructor(plan: TrackedProcessPlan, world: World, changed: () => void) {
    this.plan = plan;
    this.#clock = world.clock;
    this.#changed = changed;
    this.#alarm = world.clock.alarm(() => this.#settle());
    this.#watch = world.scripts.watchProcesses(plan, (count) => this.#counted(count));
  }

  get result(): 'well' | 'failed' | 'unknown' {
    return this.#result;
  }

  /** What its delay will make of it; undefined: no delay runs. */
  get waitsFor(): 'well' | 'failed' | undefined {
    const wanted = this.#wanted();
    return this.#count === undefined || wanted === this.#result ? undefined : wanted;
  }

  /** Processes that match now. */
  get count(): number {
    return this.#count ?? 0;
  }

  close(): void {
    this.#alarm.clear();
    this.#watch.close();
  }

  #counted(count: number): void {
    const first = this.#count === undefined;
    this.#count = count;
    const wanted = this.#wanted();
    this.#alarm.clear();
    if (wanted === this.#result) return;
    const delayMs = wanted === 'well' ? this.plan.forkDelayMs : this.plan.terminateDelayMs;
    if (first || delayMs === 0) this.#settle();
    else this.#alarm.set(this.#clock.now() + delayMs);
  }

  #settle(): void {
    const wanted = this.#wanted();
    if (wanted === this.#result) return;
    this.#result = wanted;
    this.#changed();
  }

  #wanted(): 'well' | 'failed' {
    const count = this.#count ?? 0;
    const { quorum, quorumMax } = this.plan;
    return count >= quorum && (quorumMax === undefined || count <= quorumMax) ? 'well' : 'failed';
  }
}
