/**
 * `balance roundrobin`: each server in turn, according to its weight, smoothly, with weights that may change at any time.
 *
 * The method is HAProxy's ("fast weighted round robin"), so that the sequence is the same. Time is counted in turns. In a
 * cycle of W turns (W = sum of the weights) a server of weight w has a turn every W / w; the fraction that a division leaves is
 * summed up, so that shares are exact. Servers that had no turn in this cycle wait in `initial` (heaviest first), those with a next turn in this
 * cycle in `current` (earliest first), those whose next turn is in the next cycle in `next`. At the end of a cycle `next` becomes `initial`.
 * Servers are few, so the lists are found by a scan; nothing is allocated.
 */
import { type Balance, type BalanceServers, weightMax, weightScale } from './servers.ts';

/** Cells of a group (active servers, backups). `initialList` is 1 or 2; the other of the two is `next`. */
const position = 0;
const currentWeight = 1;
const nextWeight = 2;
const initialList = 3;
const insertions = 4;
const groupCells = 5;

/** Cells of a server. */
const nextTurn = 0;
const lastTurn = 1;
const remainder = 2;
const key = 3;
const inserted = 4; // order among equal keys
const list = 5; // 0 = none, 1 and 2 = initial and next, 3 = current
const listed = 6; // 0 while it is taken out of its list
const serverCells = 7;

const currentList = 3;

export function roundRobinCells(servers: number): number {
  return 2 * groupCells + servers * serverCells;
}

export class RoundRobin implements Balance {
  readonly #servers: BalanceServers;
  readonly #cells: Float64Array;
  /** Servers passed over during one `pick`. */
  readonly #passed: Int32Array;

  constructor(servers: BalanceServers) {
    this.#servers = servers;
    this.#cells = servers.cells;
    this.#passed = new Int32Array(servers.count);
  }

  pick(_hash: number, avoid: number): number {
    const { summary } = this.#servers;
    if (summary.active === 0) {
      if (summary.firstBackup >= 0) return summary.firstBackup;
      if (summary.backups === 0) return -1;
    }
    return this.#pickFrom(summary.active > 0 ? 0 : groupCells, avoid);
  }

  #pickFrom(group: number, avoid: number): number {
    const cells = this.#cells;
    let switched = false;
    let avoided = -1;
    let passed = 0;
    let chosen = -1;
    for (;;) {
      if (cells[group + currentWeight] === 0)
        cells[group + position] = cells[group + currentWeight] = cells[group + nextWeight];
      chosen = this.#first(group);
      if (chosen < 0) {
        if (switched) {
          chosen = avoided;
          break;
        }
        switched = true;
        this.#startCycle(group);
        continue;
      }
      this.#advance(group, chosen);
      cells[this.#at(chosen) + listed] = 0;
      cells[group + position]++;
      if (this.#servers.hasRoom(chosen)) {
        if (chosen !== avoid || avoided >= 0) break;
        avoided = chosen;
      }
      this.#passed[passed++] = chosen;
    }
    if (chosen >= 0) this.#enlist(group, chosen);
    // Last passed over, first back. After the end of a cycle their places are lost and only their weights matter.
    while (passed > 0) {
      const server = this.#passed[--passed];
      if (server === chosen) continue;
      if (switched) this.#enlistByWeight(group, server, cells[group + initialList]);
      else this.#enlist(group, server);
    }
    return chosen;
  }

  start(): void {
    const { count, weights, backup } = this.#servers;
    this.#cells.fill(0);
    for (const group of [0, groupCells]) {
      let sum = 0;
      this.#cells[group + initialList] = 1;
      for (let server = 0; server < count; server++) {
        if (weights[server] === 0 || backup[server] !== (group !== 0)) continue;
        sum += weights[server];
        this.#enlistByWeight(group, server, 1);
      }
      this.#cells[group + position] = this.#cells[group + currentWeight] = this.#cells[group + nextWeight] = sum;
    }
  }

  weightChanged(server: number, previous: number): void {
    const cells = this.#cells;
    const group = this.#servers.backup[server] ? groupCells : 0;
    const weight = this.#servers.weights[server];
    const at = this.#at(server);
    cells[group + nextWeight] += weight - previous;
    if (weight === 0) {
      cells[at + listed] = cells[at + list] = 0;
    } else if (previous === 0) {
      this.#takeOut(group, server);
      const ahead = cells[group + nextWeight] + cells[group + currentWeight] - cells[group + position];
      cells[at + nextTurn] = cells[group + position] + Math.trunc(ahead / weight);
      this.#enlist(group, server);
    } else this.#reweigh(group, server, weight);
  }

  loadChanged(): void {}

  /** A usable server's weight changed: its next turn moves. */
  #reweigh(group: number, server: number, weight: number): void {
    const cells = this.#cells;
    const at = this.#at(server);
    if (cells[at + list] === cells[group + initialList]) {
      this.#enlistByWeight(group, server, cells[group + initialList]);
      return;
    }
    this.#takeOut(group, server);
    const before = cells[at + nextTurn];
    const step = Math.trunc(cells[group + nextWeight] / weight);
    cells[at + remainder] = 0;
    cells[at + nextTurn] = Math.min(before, cells[at + lastTurn] + step);
    if (cells[at + nextTurn] < cells[group + position] + 2) cells[at + nextTurn] = cells[group + position] + step;
    this.#enlist(group, server);
  }

  #at(server: number): number {
    return 2 * groupCells + server * serverCells;
  }

  /** The server whose turn it is: the earliest of `current` unless its turn is still to come and someone waits in `initial`. */
  #first(group: number): number {
    const current = this.#least(group, currentList);
    if (current >= 0 && this.#cells[this.#at(current) + nextTurn] <= this.#cells[group + position]) return current;
    const initial = this.#least(group, this.#cells[group + initialList]);
    if (initial < 0) return current;
    const at = this.#at(initial);
    this.#cells[at + nextTurn] = this.#cells[at + remainder] = 0;
    return initial;
  }

  #least(group: number, wanted: number): number {
    const cells = this.#cells;
    const isBackup = group !== 0;
    let best = -1;
    let bestAt = 0;
    for (let server = 0, at = 2 * groupCells; server < this.#servers.count; server++, at += serverCells) {
      if (cells[at + list] !== wanted || cells[at + listed] === 0 || this.#servers.backup[server] !== isBackup)
        continue;
      if (
        best >= 0 &&
        (cells[at + key] > cells[bestAt + key] ||
          (cells[at + key] === cells[bestAt + key] && cells[at + inserted] > cells[bestAt + inserted]))
      )
        continue;
      best = server;
      bestAt = at;
    }
    return best;
  }

  #startCycle(group: number): void {
    const cells = this.#cells;
    cells[group + initialList] = 3 - cells[group + initialList];
    cells[group + position] = cells[group + currentWeight] = cells[group + nextWeight];
  }

  /** Counts the turn that the server takes now and computes its next one. */
  #advance(group: number, server: number): void {
    const cells = this.#cells;
    const at = this.#at(server);
    const weight = this.#servers.weights[server];
    if (cells[at + nextTurn] === 0) cells[at + nextTurn] = cells[group + position];
    cells[at + lastTurn] = cells[at + nextTurn];
    cells[at + nextTurn] += Math.trunc(cells[group + nextWeight] / weight);
    cells[at + remainder] += cells[group + nextWeight] % weight;
    if (cells[at + remainder] >= weight) {
      cells[at + remainder] -= weight;
      cells[at + nextTurn]++;
    }
  }

  /** Makes `nextTurn` count from the beginning of the present cycle, whatever list the server is in. */
  #takeOut(group: number, server: number): void {
    const cells = this.#cells;
    const at = this.#at(server);
    if (cells[at + list] === cells[group + initialList]) cells[at + nextTurn] = cells[at + remainder] = 0;
    else if (cells[at + list] === 0) cells[at + nextTurn] = cells[group + position];
    else if (cells[at + list] !== currentList) cells[at + nextTurn] += cells[group + currentWeight];
    cells[at + listed] = 0;
  }

  #enlist(group: number, server: number): void {
    const cells = this.#cells;
    const at = this.#at(server);
    const turn = cells[at + nextTurn];
    const weight = this.#servers.weights[server];
    if (turn >= 2 * cells[group + currentWeight] || turn >= cells[group + currentWeight] + cells[group + nextWeight]) {
      cells[at + nextTurn] -= cells[group + currentWeight];
      this.#enlistByWeight(group, server, 3 - cells[group + initialList]);
      return;
    }
    this.#insert(
      group,
      at,
      currentList,
      256 * turn + Math.trunc((weightMax + cells[at + remainder] - weight) / weightScale),
    );
  }

  /** Heaviest first. */
  #enlistByWeight(group: number, server: number, into: number): void {
    this.#insert(group, this.#at(server), into, weightMax - this.#servers.weights[server]);
  }

  #insert(group: number, at: number, into: number, sortKey: number): void {
    const cells = this.#cells;
    cells[at + key] = sortKey;
    cells[at + inserted] = ++cells[group + insertions];
    cells[at + list] = into;
    cells[at + listed] = 1;
  }
}
