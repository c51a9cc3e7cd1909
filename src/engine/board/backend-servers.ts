/** The servers of one backend as they stand on the board: what a balancing algorithm asks, and the columns and words for everyone else. */
import { dynamicLimit } from '../../core/balance/limit.ts';
import { type BalanceServers, UsableSummary } from '../../core/balance/servers.ts';
import type { BackendPlan } from '../../plan/balancer.ts';
import { type BackendLayout, type BoardLayout, backendWord, type ServerColumn } from './layout.ts';

export class BackendServers implements BalanceServers {
  readonly plan: BackendPlan;
  readonly count: number;
  readonly ids: readonly number[];
  readonly backup: readonly boolean[];
  readonly configuredWeights: readonly number[];
  readonly allBackups: boolean;
  readonly cells: Float64Array;
  readonly summary: UsableSummary;
  readonly weights: Int32Array;
  readonly served: Int32Array;
  readonly queued: Int32Array;
  protected readonly words: Int32Array;
  protected readonly layout: BackendLayout;
  protected readonly maxqueue: Int32Array;
  readonly #maxconn: Int32Array;
  readonly #minconn: Int32Array;

  constructor(plan: BackendPlan, words: Int32Array, numbers: Float64Array, board: BoardLayout) {
    const layout = board.backends[plan.index];
    this.plan = plan;
    this.words = words;
    this.layout = layout;
    this.count = plan.servers.length;
    this.ids = plan.servers.map((server) => server.id);
    this.backup = plan.servers.map((server) => server.backup);
    this.configuredWeights = plan.servers.map((server) => server.weight);
    this.allBackups = plan.allBackups;
    this.#maxconn = Int32Array.from(plan.servers, (server) => server.maxconn);
    this.#minconn = Int32Array.from(plan.servers, (server) => server.minconn);
    this.maxqueue = Int32Array.from(plan.servers, (server) => server.maxqueue);
    this.cells = numbers.subarray(layout.balance, layout.balance + layout.balanceCells);
    const summary = layout.words + backendWord.summary;
    this.summary = new UsableSummary(words.subarray(summary, summary + 4));
    this.weights = this.column('weight');
    this.served = this.column('served');
    this.queued = this.column('queued');
  }

  /** One word for each server; see layout.ts for what each means. */
  column(name: ServerColumn): Int32Array {
    const at = this.layout.columns[name];
    return this.words.subarray(at, at + this.count);
  }

  /** Requests that one worker has at each server. */
  servedBy(worker: number): Int32Array {
    const at = this.layout.servedByWorker + worker * this.count;
    return this.words.subarray(at, at + this.count);
  }

  word(name: keyof typeof backendWord): number {
    return Atomics.load(this.words, this.layout.words + backendWord[name]);
  }

  setWord(name: 'lastChange' | 'downTransitions', value: number): void {
    Atomics.store(this.words, this.layout.words + backendWord[name], value);
  }

  hasRoom(server: number): boolean {
    return this.#maxconn[server] === 0 || (this.queued[server] === 0 && this.served[server] < this.limit(server));
  }

  hasRoomInQueue(server: number): boolean {
    return (
      this.#maxconn[server] === 0 ||
      this.served[server] + this.queued[server] < this.limit(server) + this.maxqueue[server]
    );
  }

  servedTotal(): number {
    return this.get(backendWord.served);
  }

  /** Requests the server may have now. */
  limit(server: number): number {
    const load = this.get(backendWord.served) + this.get(backendWord.queuedTotal);
    const warmUp = this.words[this.layout.columns.warmUp + server];
    return dynamicLimit(this.#maxconn[server], this.#minconn[server], this.plan.fullconn, load, warmUp);
  }

  /** By offset, not by name: looked up by many names at one place, a word would cost V8 a search each time. */
  protected get(word: number): number {
    return this.words[this.layout.words + word];
  }

  protected set(word: number, value: number): void {
    this.words[this.layout.words + word] = value;
  }
}
