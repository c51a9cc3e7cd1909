/** A cluster under load, and trials on it: fault, observation, repair, observation. */
import { Actions } from '../../src/lab/actions.ts';
import { Cluster } from '../../src/lab/cluster.ts';
import type { Engine } from '../../src/lab/engine.ts';
import type { LoadedCluster } from '../../src/lab/load-cluster.ts';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { isLostBetween, longestOutage, type ProbeRecord } from '../../src/lab/prober/outage.ts';
import { Prober } from '../../src/lab/prober/prober.ts';
import type { Case } from './cases.ts';
import { idleUsage, type Usage } from './usage.ts';

/** What clients saw of one move of the address. */
export interface Seen {
  /** Of requests on connections of their own. */
  readonly outageMs: number;
  readonly failed: number;
  /** Kept connections that broke inside an exchange; and those lost between two, which a client may repeat. */
  readonly keptBroken: number;
  readonly keptLost: number;
  /** The longest time that the prober itself did not run. */
  readonly ownDelayMs: number;
}

export interface TrialResult {
  readonly away: Seen;
  readonly back: Seen;
  /** When the standby had the address, after the fault. */
  readonly takenMs: number | undefined;
  /** From the repair until the preferred node alone has the address: behind a healed split both have it for a while. */
  readonly aloneMs: number;
}

/** A client's patience and a little: by then every request has its outcome. */
const patienceMs = 950;
/** How long all must have been well before a fault; up to a second more, so that faults fall on every phase of timers and scripts. */
const calmMs = 500;
const watchMs = 1_000;
/** Every step of a trial waits a minute at most; together they can't take longer than this unless something hangs. */
const trialMsMax = 180_000;
const disposeMsMax = 30_000;

export class Bench {
  readonly cluster: Cluster;
  readonly preferred: string;
  readonly standby: string;
  readonly #actions: Actions;
  #prober: Prober | undefined;

  constructor(loaded: LoadedCluster, engine: Engine) {
    this.cluster = new Cluster(loaded.topology, engine, loaded.files);
    [this.preferred, this.standby] = this.cluster.nodes as [string, string];
    this.#actions = new Actions(this.cluster, loaded.predicted[0]!.router.settings.virtualRouterId);
  }

  async start(): Promise<void> {
    await this.cluster.start();
    await this.#well();
  }

  async dispose(): Promise<void> {
    await within(disposeMsMax, 'the prober ends', this.#prober?.stop());
    await within(disposeMsMax, 'the hosts end', this.cluster.dispose());
  }

  /** @throws Error that says what did not happen in time; `recover` then brings the cluster back. */
  async trial(one: Case): Promise<TrialResult> {
    return await within(trialMsMax, `a trial of ${one.name} ends`, this.#trial(one));
  }

  async #trial(one: Case): Promise<TrialResult> {
    const { cluster, preferred } = this;
    const prober = this.#load();
    await this.#well();
    await calm(calmMs + Math.random() * 1000);
    prober.forget(monotonicMs() - 500);
    const world = { cluster, actions: this.#actions, preferred };
    const from = monotonicMs();
    if (!one.moves) return await this.#undisturbed(from);
    await one.fault(world);
    await this.#movedTo(this.standby, 15_000);
    const split = monotonicMs() + watchMs;
    const byItself = one.returnsByItself && cluster.engine.restarts;
    // A node that returns by itself may do so before the watch is over: then the fault's window ends where the return begins.
    if (byItself) await Promise.race([calm(watchMs), this.#movedTo(preferred, 15_000)]);
    else await calm(watchMs);
    const returnedFrom = Math.min(split, this.#tookAt(preferred, from) ?? split) - (byItself ? 100 : 0);
    if (!byItself) await one.repair(world);
    const repairedAt = monotonicMs();
    await this.#movedTo(preferred, 60_000);
    await cluster.until(
      `${preferred} alone has the address`,
      () => cluster.addresses.holders().join() === preferred,
      60_000,
    );
    const aloneMs = monotonicMs() - repairedAt;
    await this.#answered();
    await calm(watchMs + patienceMs);
    const taken = this.#tookAt(this.standby, from);
    return {
      away: this.#seen(from - 50, returnedFrom),
      back: this.#seen(returnedFrom, monotonicMs() - patienceMs),
      takenMs: taken === undefined ? undefined : taken - from,
      aloneMs,
    };
  }

  /** What the lab itself costs: the longest silence of two windows in which nothing is done. */
  async #undisturbed(from: number): Promise<TrialResult> {
    await calm(2 * watchMs + patienceMs);
    const [away, back] = [from, from + watchMs].map((at) => this.#seen(at, at + watchMs)) as [Seen, Seen];
    return { away, back, takenMs: undefined, aloneMs: 0 };
  }

  /** After a trial that did not come to its end. */
  async recover(one: Case): Promise<void> {
    const { cluster, preferred } = this;
    await within(trialMsMax, `${one.name} is undone`, one.repair({ cluster, actions: this.#actions, preferred }));
    await this.#well();
  }

  /** Without load. */
  async idle(seconds: number): Promise<Usage[]> {
    await within(disposeMsMax, 'the prober ends', this.#prober?.stop());
    this.#prober = undefined;
    await calm(4 * calmMs);
    const { cluster } = this;
    const daemons = cluster.nodes.map((node) => ({
      node,
      state: cluster.state(node) ?? '',
      pids: cluster.host(node).processes(cluster.engine.commandLines.vrrp),
    }));
    return idleUsage(daemons, seconds);
  }

  /** Both processors busy with a load through the balancer: how often the address moved, and what the load says. */
  async saturated(seconds: number): Promise<{ readonly moves: number; readonly report: string }> {
    await this.#well();
    const { cluster } = this;
    const from = cluster.events.length;
    const argv = ['wrk', '-t2', '-c64', `-d${seconds}s`, `http://${cluster.topology.virtualAddress}/`];
    const report = await within((seconds + 60) * 1000, 'wrk ends', cluster.client.runToEnd(...argv));
    const moves = cluster.events.slice(from).filter(({ kind, text }) => kind === 'state' && text === 'MASTER').length;
    return { moves, report };
  }

  #load(): Prober {
    if (this.#prober !== undefined) return this.#prober;
    const { client, topology } = this.cluster;
    this.#prober = new Prober(client, { host: topology.virtualAddress, port: topology.port });
    this.#prober.onRecord = () => this.cluster.wake();
    return this.#prober;
  }

  /** The preferred node alone has the address, the other stands by, and nothing has failed for a moment. */
  async #well(): Promise<void> {
    const { cluster, preferred, standby } = this;
    await cluster.until(
      `${preferred} alone active`,
      () =>
        cluster.state(preferred) === 'MASTER' &&
        cluster.state(standby) === 'BACKUP' &&
        cluster.addresses.holders().join() === preferred,
      60_000,
    );
    await this.#answered();
  }

  async #answered(): Promise<void> {
    const from = monotonicMs();
    const prober = this.#load();
    const answers = () => prober.records.filter(({ started, outcome }) => started >= from && outcome === 'ok').length;
    await this.cluster.until('clients are answered', () => answers() >= 20, 60_000);
  }

  async #movedTo(node: string, ms: number): Promise<void> {
    const { cluster } = this;
    await cluster.until(
      `${node} takes over`,
      () => cluster.state(node) === 'MASTER' && cluster.addresses.holders().includes(node),
      ms,
    );
  }

  #tookAt(node: string, after: number): number | undefined {
    return this.cluster.events.find(
      (event) => event.node === node && event.at >= after && event.kind === 'address' && event.text.startsWith('has'),
    )?.at;
  }

  #seen(from: number, to: number): Seen {
    const { records, stalls } = this.#load();
    const within = records.filter(({ started }) => started >= from && started < to);
    const fresh = within.filter(({ kind }) => kind === 'new');
    const kept = within.filter(({ kind, outcome }) => kind === 'keep-alive' && outcome !== 'ok');
    const own = stalls.filter((stall) => stall.to >= from && stall.from < to);
    const failed = (each: readonly ProbeRecord[]) => each.filter(({ outcome }) => outcome !== 'ok').length;
    return {
      outageMs: longestOutage(fresh, own)?.milliseconds ?? 0,
      failed: failed(fresh),
      keptBroken: kept.filter((record) => !isLostBetween(record)).length,
      keptLost: kept.filter(isLostBetween).length,
      ownDelayMs: own.reduce((worst, stall) => Math.max(worst, stall.to - stall.from), 0),
    };
  }
}

/** What comes of `promise`, unless that takes longer. `what`: as the error has it. */
async function within<T>(ms: number, what: string, promise: Promise<T> | undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise as Promise<T>, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function calm(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
