/** Whom one virtual router has heard: the other routers by their addresses, when last, and why what they sent was refused. */
import { neighboursMax } from '../../core/limits.ts';
import type { HeardAdvertisement } from '../../core/vrrp/events.ts';
import type { ReceiveError } from '../../core/vrrp/receive.ts';
import type { VirtualRouterSettings } from '../../core/vrrp/settings.ts';

export interface Neighbour {
  readonly source: string;
  /** Of the last advertisement that was accepted: 0 = it resigned. Undefined: none ever was. */
  priority: number | undefined;
  advertisementIntervalMs: number | undefined;
  /** Monotonic milliseconds of the last accepted advertisement. */
  heardAtMs: number | undefined;
  /** How the addresses in that one differ from ours; undefined: they don't. */
  addressDifference: string | undefined;
  accepted: number;
  refused: number;
  lastRefusal: { readonly error: ReceiveError; readonly message: string; readonly atMs: number } | undefined;
}

export class Neighbours {
  /** In the order in which they were last heard, the latest last. */
  readonly #all = new Map<string, Neighbour>();

  heard(
    { source, priority, advertisementIntervalMs }: HeardAdvertisement,
    now: number,
    difference: string | undefined,
  ): void {
    const neighbour = this.#of(source);
    neighbour.priority = priority;
    neighbour.advertisementIntervalMs = advertisementIntervalMs;
    neighbour.heardAtMs = now;
    neighbour.addressDifference = difference;
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
      addressDifference: undefined,
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

/** Of advertised addresses, in words which addresses it has that this node has not, and the other way round. */
export function addressDifference(
  theirs: readonly string[],
  router: Pick<VirtualRouterSettings, 'addresses'>,
): string | undefined {
  const ours = router.addresses.map(({ address }) => address);
  const more = theirs.filter((address) => !ours.includes(address));
  const less = ours.filter((address) => !theirs.includes(address));
  if (more.length === 0 && less.length === 0)
    return theirs.length === ours.length ? undefined : 'an address stands twice in the list';
  return [
    ...(less.length === 0 ? [] : [`does not advertise ${inShort(less)}, which this node has`]),
    ...(more.length === 0 ? [] : [`advertises ${inShort(more)}, which this node has not`]),
  ].join('; ');
}

/** As many as are read at a glance: a garbled message may name 255. */
const shownMax = 8;

/** For people; what programs read has them all. */
export function inShort(addresses: readonly string[], separator = ', '): string {
  if (addresses.length <= shownMax) return addresses.join(separator);
  return `${addresses.slice(0, shownMax).join(separator)} … (${addresses.length} addresses)`;
}
