/**
 * Connections of clients that are open while the addresses move in an orderly way, so that neither host answers them with a reset.
 *
 * The new holder passes on what belongs to connections that it never saw begin; the old one keeps the addresses where only its own
 * sockets find them. Both do so only towards a host that does the other half: one with which there is a BFD session that nobody wrote
 * (a Keepalived has none), and that was not ended by a host that keeps nothing (its balancer died).
 */
import { handoff as limits } from '../../core/limits.ts';
import type { VirtualAddress, VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Handoff, OldHolder } from '../ports/handoff.ts';
import type { Journal } from '../ports/logs.ts';
import type { Clock } from '../ports/time.ts';
import type { Holdings } from './holdings.ts';

export interface OpenConnectionsWorld {
  readonly clock: Clock;
  readonly journal: Journal;
  /** Absent: connections end when the addresses move. */
  readonly handoff?: Handoff;
  /** Is there a session with that host which it opened or answered unasked? */
  companion?(host: string): 'up' | 'late' | undefined;
}

type Passage =
  | { readonly kind: 'passed-on'; readonly to: string; readonly until: number; reviewAt: number }
  | { readonly kind: 'kept'; readonly addresses: readonly VirtualAddress[]; until: number };

export class OpenConnections {
  readonly #world: OpenConnectionsWorld;
  readonly #holdings: Holdings;
  readonly #settings: () => VirtualRouterSettings;
  #passage: Passage | undefined;
  #failure: string | undefined;

  constructor(world: OpenConnectionsWorld, holdings: Holdings, settings: () => VirtualRouterSettings) {
    this.#world = world;
    this.#holdings = holdings;
    this.#settings = settings;
  }

  /** `add` puts the addresses on their interface: `from` may have had them, and live. */
  takeOver(addresses: readonly VirtualAddress[], from: OldHolder | undefined, add: () => void): void {
    const before = this.#passage;
    this.#passage = undefined;
    if (before !== undefined) this.#world.handoff?.end(this.#settings().name);
    if (from !== undefined) this.#passOn(addresses, from);
    add();
    // Only now: a connection that was kept here never finds its address missing.
    if (before?.kind === 'kept') this.#holdings.removeFromLoopback(before.addresses);
  }

  #passOn(addresses: readonly VirtualAddress[], from: OldHolder): void {
    const { handoff, clock } = this.#world;
    const theirs = this.#movable(addresses);
    if (handoff === undefined || theirs.length === 0 || this.#world.companion?.(from.address) !== 'up') return;
    const { name, family } = this.#settings();
    const failure = handoff.passOn(name, { family, addresses: theirs.map(({ address }) => address) }, from);
    if (this.#failed(failure)) return;
    const now = clock.now();
    const [until, reviewAt] = [now + limits.passOnMs, now + limits.reviewMs];
    this.#passage = { kind: 'passed-on', to: from.address, until, reviewAt };
    this.#log(`Open connections go on at ${from.address}`);
  }

  /**
   * Takes the addresses off their interface and keeps them for what is open: `successor` has them now. What was passed on until now is not any
   * more: clients know their new place. `ownAddress`: this host's own on that network. `forGood`: this router ends.
   *
   * @returns false where that can't be done, or helps nobody: nothing has changed then.
   */
  keep(
    addresses: readonly VirtualAddress[],
    device: string,
    successor: string,
    ownAddress: string,
    forGood = false,
  ): boolean {
    const { handoff, clock } = this.#world;
    const kept = this.#movable(addresses);
    if (handoff === undefined || kept.length === 0 || this.#world.companion?.(successor) !== 'up') return false;
    const { name, family } = this.#settings();
    const addressesKept = { family, addresses: kept.map(({ address }) => address) };
    const failure = handoff.keep(name, addressesKept, ownAddress, forGood);
    if (this.#failed(failure)) return false;
    this.#holdings.keepOnLoopback(kept, Math.ceil(limits.keptMs / 1000));
    this.#holdings.remove(addresses, device);
    this.#passage = { kind: 'kept', addresses: kept, until: clock.now() + limits.keptMs };
    this.#log(`Keeping open connections, ${successor} passes them on`);
    return true;
  }

  /** Nobody will need them for longer than that. */
  keepNoLongerThan(ms: number): void {
    const passage = this.#passage;
    if (passage?.kind === 'kept') passage.until = Math.min(passage.until, this.#world.clock.now() + ms);
  }

  /** Infinity: nothing is under way. */
  deadline(): number {
    if (this.#passage === undefined) return Infinity;
    return this.#passage.kind === 'kept' ? this.#passage.until : this.#passage.reviewAt;
  }

  timer(now: number): void {
    const passage = this.#passage;
    if (passage === undefined || now < this.deadline()) return;
    const goesOn =
      passage.kind === 'passed-on' && now < passage.until && this.#world.companion?.(passage.to) !== undefined;
    if (goesOn) passage.reviewAt = now + limits.reviewMs;
    else this.end();
  }

  /** Whatever is under way is over. */
  end(): void {
    const passage = this.#passage;
    if (passage === undefined) return;
    this.#passage = undefined;
    if (passage.kind === 'kept') this.#holdings.removeFromLoopback(passage.addresses);
    this.#world.handoff?.end(this.#settings().name);
  }

  /** Those that other hosts reach by the same family that the routers speak, through the network and not on the link alone. */
  #movable(addresses: readonly VirtualAddress[]): VirtualAddress[] {
    const { family } = this.#settings();
    return addresses.filter((address) => address.family === family && !/^fe[89ab]/i.test(address.address));
  }

  /** Said once: a kernel without nf_tables stays one. */
  #failed(failure: string | undefined): boolean {
    if (failure !== undefined && failure !== this.#failure)
      this.#world.journal.log(
        'warning',
        `(${this.#settings().name}) open connections end when the addresses move: nf_tables says ${failure}`,
      );
    this.#failure = failure;
    return failure !== undefined;
  }

  #log(message: string): void {
    this.#world.journal.log('info', `(${this.#settings().name}) ${message}`);
  }
}
