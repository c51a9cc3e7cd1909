/** Whom one virtual router has heard: the other routers by their addresses, when last, and why what they sent was refused. */
import { neighboursMax } from '../../core/limits.ts';
import type { HeardAdvertisement } from '../../core/vrrp/events.ts';
import type { ReceiveError } from '../../core/vrrp/receive.ts';

export interface Neighbour {
  readonly source: string;
  /** Of the last advertisement that was accepted: 0 = it resigned. Undefined: none ever was. */
  priority: number | undefined;
  advertisementIntervalMs: number | undefined;
  /** Monotonic milliseconds of the last accepted advertisement. */
  heardAtMs: number | undefined;
  accepted: number;
  refused: number;
  lastRefusal: { readonly error: ReceiveError; readonly message: string; readonly atMs: number } | undefined;
}

export class Neighbours {
  /** In the order in which they were last heard, the latest last. */
  readonly #all = new Map<string, Neighbour>();

  heard({ source, priority, advertisementIntervalMs }: HeardAdvertisement, now: number): void {
    const neighbour = this.#of(source);
    neighbour.priority = priority;
    neighbour.advertisementIntervalMs = advertisementIntervalMs;
    neighbour.heardAtMs = now;
    neighbour.accepted++;
  }

  refused(source: string, error: ReceiveError, message: string, now: number): void {
    if (error === 'own') return;
    const neighbour = this.#of(source);
    neighbour.refused++;
    neighbour.lastRefusal = { error, message, atMs: now };
  }

  /** The latest heard first. */
  all(): readonly Neighbour[] {
    return [...this.#all.values()].reverse();
  }

  /** Forged senders must not fill the memory: the one not heard for longest is forgotten. */
  #of(source: string): Neighbour {
    const neighbour = this.#all.get(source) ?? {
      source,
      priority: undefined,
      advertisementIntervalMs: undefined,
      heardAtMs: undefined,
      accepted: 0,
      refused: 0,
      lastRefusal: undefined,
    };
    this.#all.delete(source);
    this.#all.set(source, neighbour);
    if (this.#all.size > neighboursMax) this.#all.delete([...this.#all.keys()][0]);
    return neighbour;
  }
}
