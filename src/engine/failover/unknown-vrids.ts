/** log_unknown_vrids: advertisements of virtual routers that are not configured here, each sender of one told of once. */
import type { VrrpPlan } from '../../plan/vrrp.ts';
import type { Journal } from '../ports/logs.ts';

/** A segment may have all 255 VRIDs, each with a few routers; a flood of made-up senders fills the journal no further. */
const toldMax = 1024;

export class UnknownVrids {
  readonly #journal: Journal;
  readonly #told = new Set<string>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  heard({ global, routers }: VrrpPlan, interfaceName: string, virtualRouterId: number, source: string): void {
    const known = routers.some(
      ({ settings }) => settings.interface === interfaceName && settings.virtualRouterId === virtualRouterId,
    );
    if (!global.logUnknownVrids || known) return;
    const key = `${interfaceName} ${virtualRouterId} ${source}`;
    if (this.#told.has(key) || this.#told.size >= toldMax) return;
    this.#told.add(key);
    this.#journal.log(
      'info',
      `Unknown VRID(${virtualRouterId}) received on interface(${interfaceName}) from ${source}, ignoring...`,
    );
  }
}
