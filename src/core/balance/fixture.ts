/** Servers in plain memory, for tests of the algorithms: what the board gives them while running. */
import { type BalanceChoice, balanceCells, createBalance } from './create.ts';
import { type Balance, type BalanceServers, UsableSummary, weightScale } from './servers.ts';

export interface FakeServer {
  readonly weight?: number;
  readonly backup?: boolean;
  readonly maxconn?: number;
  readonly maxqueue?: number;
  readonly id?: number;
}

export class FakeServers implements BalanceServers {
  readonly count: number;
  readonly ids: readonly number[];
  readonly backup: readonly boolean[];
  readonly configuredWeights: readonly number[];
  readonly allBackups: boolean;
  readonly weights: Int32Array;
  readonly served: Int32Array;
  readonly queued: Int32Array;
  readonly summary = new UsableSummary(new Int32Array(4));
  readonly cells: Float64Array;
  readonly balance: Balance;
  readonly #servers: readonly FakeServer[];
  #seed = 1;

  constructor(choice: Partial<BalanceChoice>, servers: readonly FakeServer[], allBackups = false) {
    const whole: BalanceChoice = {
      algorithm: 'roundrobin',
      randomDraws: 2,
      hashMethod: 'map-based',
      hashBalanceFactor: 0,
      ...choice,
    };
    this.#servers = servers;
    this.count = servers.length;
    this.ids = servers.map((server, index) => server.id ?? index + 1);
    this.backup = servers.map((server) => server.backup ?? false);
    this.configuredWeights = servers.map((server) => server.weight ?? 1);
    this.allBackups = allBackups;
    this.weights = Int32Array.from(this.configuredWeights, (weight) => weight * weightScale);
    this.served = new Int32Array(this.count);
    this.queued = new Int32Array(this.count);
    this.cells = new Float64Array(balanceCells(whole, this.count));
    this.summary.recount(this);
    this.balance = createBalance(whole, this);
    this.balance.start();
  }

  hasRoom(server: number): boolean {
    const most = this.#servers[server].maxconn ?? 0;
    return most === 0 || (this.queued[server] === 0 && this.served[server] < most);
  }

  hasRoomInQueue(server: number): boolean {
    const most = this.#servers[server].maxconn ?? 0;
    return most === 0 || this.served[server] + this.queued[server] < most + (this.#servers[server].maxqueue ?? 0);
  }

  servedTotal(): number {
    return this.served.reduce((sum, served) => sum + served, 0);
  }

  /** @param weight as configured, 0..256; 0 also stands for "down". */
  setWeight(server: number, weight: number): void {
    const previous = this.weights[server];
    this.weights[server] = weight * weightScale;
    this.summary.recount(this);
    this.balance.weightChanged(server, previous);
  }

  pick(hash = -1, avoid = -1): number {
    return this.balance.pick(hash, avoid, () => {
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
      return this.#seed;
    });
  }

  take(server: number): void {
    this.served[server]++;
    this.balance.loadChanged(server);
  }

  release(server: number): void {
    this.served[server]--;
    this.balance.loadChanged(server);
  }

  /** Picks and ends `count` requests, one after the other. */
  turns(count: number): number[] {
    return Array.from({ length: count }, () => {
      const server = this.pick();
      if (server >= 0) {
        this.take(server);
        this.release(server);
      }
      return server;
    });
  }
}
