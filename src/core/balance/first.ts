/** `balance first`: the server with the lowest id that has room, so that the last ones can be switched off at night. */
import type { Balance, BalanceServers } from './servers.ts';

export const firstCells = 0;

export class FirstAvailable implements Balance {
  readonly #servers: BalanceServers;
  readonly #byId: readonly number[];

  constructor(servers: BalanceServers) {
    this.#servers = servers;
    this.#byId = servers.ids.map((_, server) => server).sort((a, b) => servers.ids[a] - servers.ids[b]);
  }

  start(): void {}

  pick(_hash: number, avoid: number): number {
    const { summary, weights, backup } = this.#servers;
    if (summary.active === 0 && summary.firstBackup >= 0) return summary.firstBackup;
    const useBackups = summary.active === 0;
    let avoided = -1;
    for (const server of this.#byId) {
      if (weights[server] === 0 || backup[server] !== useBackups || !this.#servers.hasRoom(server)) continue;
      if (server !== avoid) return server;
      avoided = server;
    }
    return avoided;
  }

  weightChanged(): void {}
  loadChanged(): void {}
}
