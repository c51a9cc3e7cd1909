/**
 * One virtual router on this host: carries out what its machine asks for, and tells it what the interface and the network say.
 *
 * The machine thinks, this drives: nothing here decides about states. Events go through `deliver`, because in a sync group they go to the
 * group first.
 */

import type { AnnouncementSchedule } from '../../core/vrrp/announcement-schedule.ts';
import type { VrrpAction, VrrpEvent } from '../../core/vrrp/events.ts';
import { leaseSeconds } from '../../core/vrrp/intervals.ts';
import type { VirtualRouterMachine } from '../../core/vrrp/machine.ts';
import { receiveAdvertisement } from '../../core/vrrp/receive.ts';
import type { VirtualAddress, VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import { emptyStatistics } from '../../core/vrrp/statistics.ts';
import type { RoutePlan, VirtualRouterPlan } from '../../plan/vrrp.ts';
import type { Firewall } from '../ports/firewall.ts';
import type { Link, Links } from '../ports/links.ts';
import type { Packets, ReceivedPacket } from '../ports/packets.ts';
import { AddressLinks } from './address-links.ts';
import type { FollowedPeer } from './bfd-sessions.ts';
import { addressDifference, Neighbours } from './control-neighbours.ts';
import { ExtraAnnouncements } from './extra-announcements.ts';
import { Holdings } from './holdings.ts';
import { OpenConnections, type OpenConnectionsWorld } from './open-connections.ts';
import { ReceiveLog } from './receive-log.ts';
import { RouterChannel } from './router-channel.ts';
import { ownVirtualLink, VirtualLink } from './virtual-link.ts';

export interface DriverWorld extends OpenConnectionsWorld {
  readonly packets: Packets;
  readonly links: Links;
  readonly announcements: AnnouncementSchedule;
  /** Absent: `no_accept` blocks nothing. */
  readonly firewall?: Firewall;
  /** The router that a backup here follows has just spoken. */
  followed?(peer: FollowedPeer, advertisementIntervalMs: number): void;
  /** The addresses are let go at once, with whatever is open: others must not count on this host. */
  forsaken?(): void;
  /** An advertisement of another virtual router came in on this one's interface. */
  otherRouter?(interfaceName: string, virtualRouterId: number, source: string): void;
  /** Is this one of the virtual addresses of any router here? Such an address is nobody's own. */
  isVirtual(address: string): boolean;
}

/** From a successor's first advertisement until it has the addresses and its announcements have gone round. */
const successorMs = 20;

interface Lingering {
  readonly addresses: readonly VirtualAddress[];
  readonly since: number;
  until: number;
}

export class RouterDriver {
  plan: VirtualRouterPlan;
  readonly machine: VirtualRouterMachine;
  readonly statistics = emptyStatistics();
  readonly neighbours = new Neighbours();
  readonly holdings: Holdings;
  readonly #world: DriverWorld;
  readonly #deliver: (event: VrrpEvent) => void;
  readonly #receiveLog: ReceiveLog;
  readonly #virtualLink: VirtualLink;
  readonly #addressLinks: AddressLinks;
  readonly #channel: RouterChannel;
  readonly #extra = new ExtraAnnouncements();
  #linkTold = '';
  #looking = false;
  #lookAgain = false;
  /** Addresses that are no longer ours and still on the interface. */
  #lingering: Lingering | undefined;
  readonly #open: OpenConnections;

  constructor(
    plan: VirtualRouterPlan,
    machine: VirtualRouterMachine,
    world: DriverWorld,
    deliver: (event: VrrpEvent) => void,
  ) {
    this.plan = plan;
    this.machine = machine;
    this.#world = world;
    this.#deliver = deliver;
    this.holdings = new Holdings(
      world.links,
      world.journal,
      () => this.settings.name,
      () => {
        const { addressesAreLeased, advertisementIntervalMs, downTimerAdverts } = this.settings;
        return addressesAreLeased === false ? undefined : leaseSeconds(advertisementIntervalMs, downTimerAdverts);
      },
      () => (this.settings.accept ? undefined : world.firewall),
    );
    this.#open = new OpenConnections(world, this.holdings, () => this.settings);
    this.#receiveLog = new ReceiveLog(world.journal, world.clock, () => this.settings.name);
    this.#virtualLink = new VirtualLink(world.links, world.journal, world.firewall, () => this.settings.name);
    this.#addressLinks = new AddressLinks(world, () => this.settings.name);
    this.#channel = new RouterChannel(
      world,
      () => this.plan,
      (packet) => this.#received(packet),
    );
  }

  get settings(): VirtualRouterSettings {
    return this.plan.settings;
  }

  /** The address that advertisements are sent from; undefined while none can be. */
  get source(): string | undefined {
    return this.#channel.source;
  }

  /** Looks at the interface: opens, moves or closes the channel, and tells the machine when something about it changed. */
  linkChanged(): void {
    // A macvlan that is made here is a change of links itself, told before it is known here.
    this.#lookAgain = true;
    if (this.#looking) return;
    for (this.#looking = true; this.#lookAgain; ) {
      this.#lookAgain = false;
      this.#look();
    }
    this.#looking = false;
  }

  #look(): void {
    this.#addressLinks.set(this.plan.addressVmacs ?? []);
    const base = this.#baseLink();
    const usable = base?.running === true && (base.multicast || this.settings.transport.kind === 'unicast');
    const address = base === undefined ? undefined : this.#sourceAddress(base);
    if (base !== undefined && address !== undefined && base.up) this.#openChannel(base, address);
    else this.#channel.close();
    if (this.machine.stateKind === 'active') this.#putBack();
    const up = usable && (this.#channel.isOpen || address === undefined);
    const told = `${up} ${address}`;
    if (told === this.#linkTold) return;
    this.#linkTold = told;
    this.#deliver({ kind: 'link', up, address });
  }

  /** Carries out one action of the machine. `state-changed` and `lower-priority-heard` are for others. */
  carryOut(action: VrrpAction): void {
    switch (action.kind) {
      case 'send-advertisement':
        this.#advertise(action.priority);
        // Nothing is held by a backup that says a last word, nor when a resigning router says priority 0.
        if (action.priority > 0) this.holdings.renew(this.#world.clock.now());
        break;
      case 'add-addresses':
        if (action.all) this.#takeAddresses(action.addresses);
        else {
          this.#add(action.addresses);
          // The kernel dropped the routes that lead through a lost address's network, and says nothing of it.
          const tracked = (each: RoutePlan) => !each.noTrack;
          this.holdings.setRoutes(this.plan.routes.filter(tracked), this.plan.rules.filter(tracked));
        }
        break;
      case 'remove-addresses':
        if (action.lingerMs === undefined) {
          const forsaken = action.all && this.holdings.addresses().length > 0;
          this.#remove(action.addresses, action.all);
          if (forsaken) this.#world.forsaken?.();
        } else {
          const until = this.#world.clock.now() + action.lingerMs;
          this.holdings.forget(action.addresses, this.device());
          // The advertisement that made the router yield is as old as its new state.
          this.#lingering = { addresses: action.addresses, since: this.machine.status().sinceMs, until };
        }
        break;
      case 'announce':
        this.#announce(action.addresses, action.repeat);
        break;
      case 'cancel-announcements':
        this.#world.announcements.cancel(this.settings.name);
        break;
      case 'announce-own-address':
        this.#announceOwnAddress();
        break;
      case 'log':
        this.#world.journal.log(action.severity, action.message);
        break;
      case 'state-changed':
        if (action.to === 'active') this.statistics.becameActive++;
        if (action.from === 'active') this.statistics.releasedActive++;
        if (action.to === 'active') this.#extra.start(this.settings, this.#world.clock.now());
        else this.#extra.stop();
        break;
    }
  }

  /** When `timer` is due: addresses that linger go, those on other interfaces are announced. */
  deadline(): number {
    return Math.min(this.#lingering?.until ?? Infinity, this.#open.deadline(), this.#extra.deadline);
  }

  /** No address of this router is on the way to its next holder. */
  get moved(): boolean {
    return this.#lingering === undefined;
  }

  /** Connections that were open when the addresses moved end within that time, in milliseconds. */
  keepConnectionsNoLongerThan(ms: number): void {
    this.#open.keepNoLongerThan(ms);
  }

  timer(now: number): void {
    const extra =
      this.machine.stateKind === 'active'
        ? this.#extra.due(this.settings, now, (device) => this.#world.links.link(device)?.hardwareAddress)
        : [];
    if (extra.length > 0) this.#announce(extra, 1);
    if (this.#lingering !== undefined && now >= this.#lingering.until) this.#endLingering(this.#lingering);
    this.#open.timer(now);
  }

  #endLingering({ addresses, since }: Lingering): void {
    this.#lingering = undefined;
    const { heard } = this.machine.status();
    const successor = heard !== undefined && heard.atMs >= since ? heard.source : undefined;
    const own = this.#channel.source;
    const forGood = this.machine.stateKind === 'initialize';
    const kept =
      successor !== undefined &&
      own !== undefined &&
      this.#open.keep(addresses, this.device(), successor, own, forGood);
    if (kept) this.holdings.clearRoutes(this.plan.routes, this.plan.rules);
    else {
      this.#remove(addresses, true);
      if (successor !== undefined) this.#world.forsaken?.();
    }
  }

  #takeAddresses(addresses: readonly VirtualAddress[]): void {
    this.#lingering = undefined;
    const { heard } = this.machine.status();
    const interfaceIndex = this.linkIndex;
    const isKnown = heard !== undefined && interfaceIndex !== undefined;
    const from = isKnown ? { address: heard.source, interfaceIndex } : undefined;
    this.#open.takeOver(addresses, from, () => this.#add(addresses));
    this.holdings.setRoutes(this.plan.routes, this.plan.rules);
  }

  /** Somebody removed a macvlan, and the addresses with it. */
  #putBack(): void {
    const { addresses, excludedAddresses, garp } = this.settings;
    const missing = this.holdings.missing([...addresses, ...excludedAddresses], this.device());
    if (missing.length === 0) return;
    this.holdings.add(missing, this.device());
    this.#announce(missing, garp.repeat);
  }

  /** A reload may have given them other macvlans. */
  #add(addresses: readonly VirtualAddress[]): void {
    this.#addressLinks.set(this.plan.addressVmacs ?? []);
    this.holdings.add(addresses, this.device());
  }

  #remove(addresses: readonly VirtualAddress[], all: boolean): void {
    if (all) {
      this.#open.end();
      this.holdings.clearRoutes(this.plan.routes, this.plan.rules);
    }
    this.holdings.remove(addresses, this.device());
  }

  /** Somebody removed a route or rule; it is put back if it is one of this router's. */
  routeRemoved(words: readonly string[]): void {
    const route = this.plan.routes.find((each) => each.words === words);
    if (route !== undefined) this.holdings.restore('route', route);
  }

  ruleRemoved(words: readonly string[]): void {
    const rule = this.plan.rules.find((each) => each.words === words);
    if (rule !== undefined) this.holdings.restore('rule', rule);
  }

  /** Sends the one that the schedule says is due. */
  sendAnnouncement(device: string, address: VirtualAddress): void {
    this.#channel.announce(device, address);
  }

  /** The interface that addresses go to when they name none. */
  device(): string {
    return this.#virtualLink.link?.name ?? this.#baseLink()?.name ?? this.settings.interface;
  }

  close(): void {
    this.#channel.close();
    this.#virtualLink.remove();
    this.#addressLinks.close();
  }

  /** The instance's interface; with unicast and none named, the one that has the source address. */
  #baseLink(): Link | undefined {
    const { interface: name, transport } = this.settings;
    if (name !== '') return this.#world.links.link(name);
    const owner = this.#world.links.addresses().find(({ address }) => address === transport.source);
    return this.#world.links.links().find(({ index }) => index === owner?.interfaceIndex);
  }

  /** The configured source, else the interface's first own address: over IPv6 multicast the link-local one (RFC 9568 §5.1.2.1). */
  #sourceAddress(link: Link): string | undefined {
    const { transport, family } = this.settings;
    const own = this.#world.links
      .addresses()
      .filter((address) => address.interfaceIndex === link.index && address.family === family && !address.tentative);
    if (transport.source !== undefined) {
      const present = own.some(({ address }) => address === transport.source);
      return present || (!this.settings.trackSourceAddress && family === 'ipv4') ? transport.source : undefined;
    }
    return own.find(
      ({ address }) =>
        !this.#world.isVirtual(address) &&
        (family === 'ipv4' || transport.kind === 'unicast' || /^fe[89ab]/i.test(address)),
    )?.address;
  }

  #openChannel(base: Link, source: string): void {
    const wish = ownVirtualLink(this.settings);
    const link = (wish && this.#virtualLink.over(base, wish, source)) ?? base;
    this.#channel.open(this.settings.vmac?.transmitOnBase === true ? base : link, source);
  }

  #received(packet: ReceivedPacket): void {
    const { settings } = this;
    // Every router on this interface gets every packet: what is for another one is not an error of this one.
    const headerAt = settings.authentication.kind === 'ah' ? 24 : 0;
    if (packet.payload.length > headerAt + 1 && packet.payload[headerAt + 1] !== settings.virtualRouterId) {
      this.#world.otherRouter?.(settings.interface, packet.payload[headerAt + 1], packet.source);
      return;
    }
    const status = this.machine.status();
    const { source: ownAddress, sequence } = this.#channel;
    const followed = status.state === 'backup' ? status.heard?.source : undefined;
    const context = { ownAddress, followed, sequence, active: status.state === 'active' };
    const received = receiveAdvertisement(packet, settings, context);
    if (received.kind === 'rejected') {
      this.statistics.errors[received.error]++;
      this.neighbours.refused(packet.source, received.error, received.message, this.#world.clock.now());
      this.#receiveLog.rejected(packet.source, received.error, received.message);
      return;
    }
    this.#channel.sequence = received.sequence;
    this.statistics.advertisementsReceived++;
    if (received.heard.priority === 0) this.statistics.priorityZeroReceived++;
    for (const remark of received.remarks) this.#receiveLog.remarked(packet.source, remark);
    const difference = addressDifference(received.advertisement.addresses, settings);
    this.neighbours.heard(received.heard, this.#world.clock.now(), difference);
    // The successor speaks first and has the addresses a moment later.
    if (this.#lingering !== undefined && received.heard.priority > 0)
      this.#lingering.until = Math.min(this.#lingering.until, this.#world.clock.now() + successorMs);
    this.#deliver({ kind: 'advertisement', heard: received.heard });
    if (received.heard.priority > 0 && packet.ttl === 255) this.#follow(received.heard.source);
  }

  /** BFD over one hop (RFC 5881): with the router whose advertisements keep this one a backup. */
  #follow(source: string): void {
    const { source: ownAddress, interfaceIndex: transmits } = this.#channel;
    const { state, activeAdvertisementIntervalMs, heard } = this.machine.status();
    if (ownAddress === undefined || transmits === undefined) return;
    if (state !== 'backup' || heard?.source !== source || this.settings.peerBfd === false) return;
    const interfaceIndex = this.linkIndex ?? transmits;
    this.#world.followed?.({ source, ownAddress, interfaceIndex }, activeAdvertisementIntervalMs);
  }

  /** Does it speak on that interface (undefined: whichever it is), and heed sessions that nobody wrote? */
  heedsBfdOn(interfaceIndex: number | undefined): boolean {
    return this.settings.peerBfd !== false && (interfaceIndex === undefined || this.linkIndex === interfaceIndex);
  }

  /** Of the interface that it is on, below a macvlan of its own. */
  get linkIndex(): number | undefined {
    return this.#baseLink()?.index;
  }

  #advertise(priority: number): void {
    if (!this.#channel.isOpen) return;
    this.#channel.advertise(priority);
    this.statistics.advertisementsSent++;
    if (priority === 0) this.statistics.priorityZeroSent++;
  }

  #announce(addresses: readonly VirtualAddress[], repeat: number): void {
    const { name, garp } = this.settings;
    const device = this.device();
    for (const address of addresses)
      this.#world.journal.detail(
        `(${name}) Sending/queueing ${address.family === 'ipv4' ? 'gratuitous ARPs' : 'Unsolicited Neighbour Adverts'} on ${
          address.device ?? device
        } for ${address.address}`,
      );
    this.#world.announcements.add(name, device, addresses, repeat, garp, this.settings.interface);
  }

  #announceOwnAddress(): void {
    const link = this.#baseLink();
    if (link !== undefined) this.#channel.announceSource(link);
  }
}
