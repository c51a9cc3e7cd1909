/**
 * Notices when another station claims an address that is held here: a host that was given it by mistake, or another node that is active too
 * because advertisements don't reach one of the two. RFC 5227 §2.4 for ARP, RFC 4862 §5.4 for neighbour advertisements.
 *
 * It listens, and asks once in a while (an ARP probe, RFC 5227 §2.1.1, which changes nobody's cache): a quiet host with the same address
 * would never be noticed otherwise. While somebody answers it asks again every few seconds, and so knows soon when it is over. Nobody is
 * asked over IPv6: the answer could change what others believe (RFC 4861 §7.2.5).
 */
import { conflictLimits } from '../../core/limits.ts';
import { arpProbe, formatHardwareAddress } from '../../core/vrrp/claims.ts';
import type { Links } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { AddressClaims, Packets } from '../ports/packets.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import type { RouterDriver } from './router-driver.ts';

export interface AddressConflict {
  readonly address: string;
  readonly hardwareAddress: string;
  /** When last seen, monotonic milliseconds. */
  readonly atMs: number;
  readonly count: number;
  /** As far as one can tell; else it is over, and remembered for a while. */
  readonly goesOn: boolean;
}

interface World {
  readonly clock: Clock;
  readonly links: Links;
  readonly packets: Packets;
  readonly journal: Journal;
  readonly claims?: AddressClaims;
}

/** What one router holds on one interface. */
interface Watched {
  readonly router: string;
  readonly interfaceIndex: number;
  readonly addresses: string;
  readonly close: () => void;
}

export class ConflictWatch {
  readonly #world: World;
  readonly #claimed: (router: string, address: string, hardwareAddress: string) => boolean;
  readonly #alarm: Alarm;
  #watched: Watched[] = [];
  readonly #seen = new Map<string, Omit<AddressConflict, 'goesOn'>[]>();
  /** When all addresses are asked for, and when those in conflict. */
  #askAllAt = Infinity;
  #askAgainAt = Infinity;
  #failureTold = false;

  /** @param claimed told at each sign; true when the router still held the address then. */
  constructor(world: World, claimed: (router: string, address: string, hardwareAddress: string) => boolean) {
    this.#world = world;
    this.#claimed = claimed;
    this.#alarm = world.clock.alarm(() => this.#probe());
  }

  /** To be called when routers may hold something else than before. */
  update(drivers: readonly RouterDriver[]): void {
    if (this.#world.claims === undefined) return;
    const wanted = drivers.flatMap((driver) => heldBy(driver, this.#world.links));
    const stays = (watched: Watched) =>
      wanted.some(
        (each) =>
          each.router === watched.router &&
          each.interfaceIndex === watched.interfaceIndex &&
          each.addresses.join() === watched.addresses,
      );
    for (const watched of this.#watched) if (!stays(watched)) watched.close();
    this.#watched = this.#watched.filter(stays);
    const before = this.#watched.length;
    for (const { router, interfaceIndex, addresses } of wanted) {
      const known = this.#watched.some((each) => each.router === router && each.interfaceIndex === interfaceIndex);
      if (!known) this.#watch(router, interfaceIndex, addresses);
    }
    if (this.#watched.length > before) this.#askAllAt = this.#world.clock.now() + conflictLimits.firstProbeMs;
    this.#arm();
  }

  /** Seen lately for this router. */
  conflicts(router: string): readonly AddressConflict[] {
    const now = this.#world.clock.now();
    return (this.#seen.get(router) ?? [])
      .filter(({ atMs }) => now - atMs <= conflictLimits.rememberedMs)
      .map((conflict) => {
        const { silentMs, unaskedMs } = conflictLimits;
        return { ...conflict, goesOn: now - conflict.atMs <= (isAsked(conflict.address) ? silentMs : unaskedMs) };
      });
  }

  close(): void {
    this.#alarm.clear();
    for (const { close } of this.#watched.splice(0)) close();
  }

  #watch(router: string, interfaceIndex: number, addresses: readonly string[]): void {
    const opened = this.#world.claims?.watch(interfaceIndex, addresses, (address, station) => {
      if (!this.#isOurs(station)) this.#note(router, address, formatHardwareAddress(station));
    });
    if (opened === undefined) return;
    if ('failure' in opened) {
      if (!this.#failureTold)
        this.#world.journal.log('warning', `address conflicts will not be noticed: ${opened.failure}`);
      this.#failureTold = true;
      return;
    }
    this.#watched.push({ router, interfaceIndex, addresses: addresses.join(), close: () => opened.close() });
  }

  /** A frame of another interface of this host on the same link says nothing new. */
  #isOurs(station: Uint8Array): boolean {
    return this.#world.links
      .links()
      .some(({ hardwareAddress }) => station.every((byte, index) => byte === hardwareAddress[index]));
  }

  #note(router: string, address: string, hardwareAddress: string): void {
    // What the machine makes of it comes first: a router that just stepped down has no conflict.
    if (!this.#claimed(router, address, hardwareAddress)) return;
    const known = this.#seen.get(router) ?? [];
    const count = (known.find((each) => each.address === address)?.count ?? 0) + 1;
    const others = known.filter((each) => each.address !== address);
    const now = this.#world.clock.now();
    this.#seen.set(router, [...others, { address, hardwareAddress, atMs: now, count }]);
    if (this.#askAgainAt !== Infinity || !isAsked(address)) return;
    this.#askAgainAt = now + conflictLimits.probeAgainMs;
    this.#arm();
  }

  #probe(): void {
    const now = this.#world.clock.now();
    const all = now >= this.#askAllAt;
    let goesOn = false;
    for (const { router, interfaceIndex, addresses } of this.#watched) {
      const disputed = this.conflicts(router).flatMap((each) => (each.goesOn ? each.address : []));
      goesOn ||= disputed.some(isAsked);
      const link = this.#world.links.links().find(({ index }) => index === interfaceIndex);
      if (link === undefined || link.hardwareAddress.length !== 6 || !link.running) continue;
      const asked = addresses.split(',').filter((address) => isAsked(address) && (all || disputed.includes(address)));
      for (const address of asked.slice(0, conflictLimits.probedAddressesMax))
        this.#world.packets.sendFrame(interfaceIndex, arpProbe(link.hardwareAddress, address));
    }
    if (all) this.#askAllAt = now + conflictLimits.probeMs;
    this.#askAgainAt = goesOn ? now + conflictLimits.probeAgainMs : Infinity;
    this.#arm();
  }

  #arm(): void {
    if (this.#watched.length === 0) this.#alarm.clear();
    else this.#alarm.set(Math.min(this.#askAllAt, this.#askAgainAt));
  }
}

function isAsked(address: string): boolean {
  return !address.includes(':');
}

function heldBy(driver: RouterDriver, links: Links) {
  if (driver.machine.stateKind !== 'active') return [];
  const byInterface = new Map<number, string[]>();
  for (const address of driver.holdings.addresses()) {
    const link = links.link(address.device ?? driver.device());
    if (link === undefined || link.hardwareAddress.length !== 6) continue;
    byInterface.set(link.index, [...(byInterface.get(link.index) ?? []), address.address]);
  }
  return [...byInterface].map(([interfaceIndex, addresses]) => ({
    router: driver.settings.name,
    interfaceIndex,
    addresses,
  }));
}
