/**
 * The idle connections of one server in one worker: taken from the warm end, closed from the cold end. Connections that stayed idle
 * for a whole purge period are more than the traffic needs; half of them are closed at its end (manual 5.2 pool-purge-delay).
 */
import { idleConnectionsMax } from '../../core/limits.ts';
import type { ServerConnection } from './server-connection.ts';

export class IdlePool {
  #oldest: ServerConnection | undefined;
  #newest: ServerConnection | undefined;
  size = 0;
  /** Fewest idle connections since the last purge: they were never needed. */
  #unneeded = 0;
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

  /** Closes half of what was not needed since the last call. */
  purge(): void {
    for (let count = Math.ceil(this.#unneeded / 2); count > 0; count--) this.#closeOldest();
    this.#unneeded = this.size;
  }

  /** Closes everything: the server went down, or the worker ends. */
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
