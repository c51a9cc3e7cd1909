/**
 * What one virtual router knows of its surroundings apart from advertisements, and what follows from it: the running priority, the
 * reasons to be in FAULT, and what it still waits for before it may take part.
 */

import type { HeardAdvertisement, TrackingResult, VrrpEvent } from './events.ts';
import { compareContenders } from './order.ts';
import type { VirtualRouterSettings } from './settings.ts';

/** The fault of a router that the operator took out of service. */
export const handedOverFault = 'handed over by the operator';

export class RouterFacts {
  #tracking: TrackingResult | undefined;
  #linkUp = true;
  #address: string | undefined;
  #addressMissing = false;
  #serving: boolean | 'unknown' = true;
  #handedOver = false;
  #groupFault: string | undefined;

  /** Notes a fact; true when the event was one. */
  note(event: VrrpEvent): boolean {
    switch (event.kind) {
      case 'tracking':
        this.#tracking = event.tracking;
        return true;
      case 'link':
        this.#linkUp = event.up;
        this.#addressMissing = event.up && event.address === undefined;
        if (event.address !== undefined) this.#address = event.address;
        return true;
      case 'serving':
        this.#serving = event.serving;
        return true;
      case 'handover':
      case 'resume':
        this.#handedOver = event.kind === 'handover';
        return true;
      case 'group-fault':
        this.#groupFault = event.reason;
        return true;
      default:
        return false;
    }
  }

  /** 1..254, or 255 for the owner. */
  priority(settings: VirtualRouterSettings): number {
    return this.#tracking?.priority ?? settings.basePriority;
  }

  /** The address that we send from, for the tie between equal priorities. */
  #source(settings: VirtualRouterSettings): string | undefined {
    return settings.transport.source ?? this.#address;
  }

  /** Above zero: theirs wins. 0: equal priority from our own address. An interface without address never wins a tie. */
  compare(heard: HeardAdvertisement, settings: VirtualRouterSettings): number {
    const priority = this.priority(settings);
    const source = this.#source(settings);
    if (source === undefined) return heard.priority - priority || 1;
    return compareContenders(heard, { priority, source });
  }

  /** Faults of our own; those of other members of the sync group come as `group-fault` and are left out when `own` is asked. */
  faults(settings: VirtualRouterSettings, which: 'all' | 'own' = 'all'): readonly string[] {
    const faults = [...(this.#tracking?.faults ?? [])];
    if (!this.#linkUp && settings.trackPrimaryInterface) faults.push(`interface ${settings.interface} is down`);
    if (this.#addressMissing && settings.transport.source === undefined)
      faults.push(`interface ${settings.interface} has no address`);
    if (this.#serving === false) faults.push('the balancer does not serve');
    if (this.#handedOver) faults.push(handedOverFault);
    if (which === 'all' && this.#groupFault !== undefined) faults.push(this.#groupFault);
    return faults;
  }

  /** Nothing is wrong here: the router is only out because the operator handed it over. */
  get wellButAway(): boolean {
    return (
      this.#handedOver &&
      this.#serving !== false &&
      this.#linkUp &&
      this.#groupFault === undefined &&
      (this.#tracking?.faults.length ?? 0) === 0
    );
  }

  pending(): readonly string[] {
    const pending = this.#tracking?.pending ?? [];
    return this.#serving === 'unknown' ? [...pending, 'the balancer'] : pending;
  }
}
