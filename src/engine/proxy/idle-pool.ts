/**
 * The idle connections of one server in one worker: taken from the warm end, closed from the cold end. Connections that stayed idle
 * for a whole purge period are more than the traffic needs; half of them are closed at its end (manual 5.2 pool-purge-delay), a few at a
 * time.
 */
import { idleConnectionsMax } from '../../core/limits.ts';
import type { ServerConnection } from './server-connection.ts';

export class IdlePool {
  #oldest: ServerConnection | undefined;
  #newest: ServerConnection | undefined;
  size = 0;
  /** Fewest idle connections since the last purge: they were never needed. */
  #unneeded = 0;
  /** So many are still to be closed. */
  #surplus = 0;
  readonly #max: number;

  /** @param max `pool-max-conn`: -1 = no limit of its own, 0 = no pool. */
  constructor(max: number) {
    this.#max = max < 0 ? idleConnectionsMax : Math.min(max, idleConnectionsMax);
  }

  /** False when the pool is full: close the connection. */
  add(connection: ServerConnection): boolean {
    if (this.size >= this.#max) return false;
    connection.older = this.#newest;
    connection.newer = undefined;
    if (this.#newest === undefined) this.#oldest = connection;
    else this.#newest.newer = connection;
    this.#newest = connection;
    this.size++;
    return true;
  }

  /** The connection used last, which is the likeliest to be alive. @param provenOnly only one that has been reused before. */
  take(provenOnly: boolean): ServerConnection | undefined {
    let found = this.#newest;
    if (provenOnly) while (found !== undefined && found.exchanges < 2) found = found.older;
    if (found !== undefined) this.remove(found);
    return found;
  }

  remove(connection: ServerConnection): void {
    const { older, newer } = connection;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    connection.older = connection.newer = undefined;
    this.size--;
    if (this.size < this.#unneeded) this.#unneeded = this.size;
  }

  /** Half of what was not needed since the last call is surplus now. */
  purge(): void {
    this.#surplus = Math.ceil(this.#unneeded / 2);
    this.#unneeded = this.size - this.#surplus;
  }

  /** All of it is surplus: the worker ends. */
  retire(): void {
    this.#surplus = this.size;
  }

  get surplus(): number {
    return Math.min(this.#surplus, this.size);
  }

  /** Closes the surplus, or as many of it. */
  closeSurplus(most: number): void {
    const count = Math.min(most, this.surplus);
    this.#surplus -= count;
    for (let closed = 0; closed < count; closed++) this.#closeOldest();
  }

  /** Closes everything: the server went down, or whatever is under way is broken off. */
  clear(): void {
    while (this.#oldest !== undefined) this.#closeOldest();
  }

  #closeOldest(): void {
    const connection = this.#oldest;
    if (connection === undefined) return;
    this.remove(connection);
    connection.discard();
  }
}
