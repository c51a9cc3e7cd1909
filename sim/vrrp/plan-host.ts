/** One host of a PlanCluster: the ports of the failover engine on a virtual kernel, with a balancer that can die or hang. */

import type { RouterStateKind } from '../../src/core/vrrp/events.ts';
import type { Failover } from '../../src/engine/failover/failover.ts';
import type { FailoverPorts } from '../../src/engine/failover/failover-ports.ts';
import type { Datagrams, ReceivedDatagram } from '../../src/engine/ports/datagrams.ts';
import type { AddressRequest, Link, Links, LinkWatcher } from '../../src/engine/ports/links.ts';
import type { ChannelOptions, Packets, ReceivedPacket } from '../../src/engine/ports/packets.ts';
import type { Clock, Random } from '../../src/engine/ports/time.ts';
import type { VrrpPlan } from '../../src/plan/vrrp.ts';
import type { VirtualTime } from '../clock.ts';
import type { PlanNode } from './plan-cluster.ts';
import { type BalancerState, PlanPrograms, type ScriptWish } from './plan-programs.ts';

/** What leaves a host. Networks are told apart by the interfaces' names: eth0 of one host is on one network with eth0 of the others. */
export type Frame =
  | { readonly kind: 'announcement'; readonly address: string }
  | { readonly kind: 'datagram'; readonly port: number; readonly datagram: Omit<ReceivedDatagram, 'interfaceIndex'> }
  | {
      readonly kind: 'vrrp';
      readonly network: string;
      readonly protocol: number;
      readonly packet: Omit<ReceivedPacket, 'interfaceIndex'>;
    };

export class PlanHost {
  readonly name: string;
  readonly held = new Set<string>();
  failover: Failover | undefined;
  readonly #plan: VrrpPlan;
  readonly #time: VirtualTime;
  readonly #programs: PlanPrograms;
  readonly #send: (from: PlanHost, frame: Frame) => void;
  readonly #links: { link: Link; readonly addresses: readonly string[] }[];
  #channels: { readonly options: ChannelOptions; readonly received: (packet: ReceivedPacket) => void }[] = [];
  #listeners: {
    readonly port: number;
    readonly received: (datagram: ReceivedDatagram) => void;
    /** Hands over what waits. */
    readonly read: () => void;
  }[] = [];
  readonly #chance: Random | undefined;
  /** When the kernel takes an address away that nobody renews. */
  readonly #leases = new Map<string, number>();
  /** What the daemon will see when it runs again: what came in first, then the alarms that are overdue. */
  #waiting: { readonly arrivals: (() => void)[]; readonly alarms: (() => void)[] } | undefined;
  #watcher: LinkWatcher | undefined;
  /** Counts the lives of the daemon: what an earlier one asked for must not reach a later one. */
  #life = 0;

  /** @param chance for the sessions in which nodes watch each other; absent: there are none. */
  constructor(node: PlanNode, time: VirtualTime, send: (from: PlanHost, frame: Frame) => void, chance?: Random) {
    this.name = node.name;
    this.#chance = chance;
    this.#plan = node.plan;
    this.#time = time;
    this.#send = send;
    this.#programs = new PlanPrograms(node.plan, time, (happen) => this.#forThisLife(happen));
    const names = new Set(
      node.plan.routers.flatMap(({ settings, trackInterfaces }) => [
        settings.interface,
        ...trackInterfaces.map(({ name }) => name),
      ]),
    );
    for (const { trackInterfaces } of node.plan.syncGroups) for (const { name } of trackInterfaces) names.add(name);
    this.#links = [...names].map((name, index) => ({
      link: makeLink(index + 1, name),
      addresses: node.sources.get(name) ?? [],
    }));
  }

  get balancer(): BalancerState {
    return this.#programs.balancer;
  }

  /** How scripts end, by name. */
  get scripts(): Map<string, ScriptWish> {
    return this.#programs.wishes;
  }

  get routers(): readonly string[] {
    return this.#plan.routers.map(({ settings }) => settings.name);
  }

  stateOf(router: string): RouterStateKind | undefined {
    return this.failover?.drivers.find(({ settings }) => settings.name === router)?.machine.stateKind;
  }

  priorityOf(router: string): number | undefined {
    return this.failover?.drivers.find(({ settings }) => settings.name === router)?.machine.priority;
  }

  start(make: (ports: FailoverPorts, plan: VrrpPlan) => Failover): void {
    this.#life++;
    this.#forget();
    this.failover = make(this.#ports(), this.#plan);
    this.failover.start();
  }

  kill(): void {
    this.#life++;
    this.#forget();
    this.failover = undefined;
  }

  stop(): void {
    this.failover?.stop(() => {});
    this.kill();
  }

  /** As a daemon that is asked to end and takes the time that it needs. */
  stopInOrder(ended: () => void): void {
    this.failover?.stop(() => {
      this.kill();
      ended();
    });
  }

  /** The daemon reads its unchanged file again. */
  reload(): void {
    this.#arrives(() => this.failover?.reload(this.#plan));
  }

  /** What Evergate's launcher passes on from the balancer. */
  tellServing(serving: boolean): void {
    this.#arrives(() => this.failover?.serving(serving));
  }

  /** The daemon stands still (SIGSTOP); its kernel goes on. */
  freeze(): void {
    this.#waiting ??= { arrivals: [], alarms: [] };
  }

  thaw(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const happen of [...(waiting?.arrivals ?? []), ...(waiting?.alarms ?? [])]) happen();
  }

  get frozen(): boolean {
    return this.#waiting !== undefined;
  }

  get linkNames(): readonly string[] {
    return this.#links.map(({ link }) => link.name);
  }

  /** Somebody takes a virtual address away by hand. */
  deleteAddress(address: string): void {
    if (!this.held.delete(address)) return;
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    const facts = { interfaceIndex: 1, family, address, prefix: family === 'ipv4' ? 32 : 128, scope: 0 } as const;
    this.#arrives(() => this.#watcher?.addressRemoved({ ...facts, tentative: false }));
  }

  setLink(name: string, running: boolean): void {
    const entry = this.#links.find(({ link }) => link.name === name);
    if (entry === undefined) throw new Error(`${this.name} has no ${name}`);
    entry.link = { ...entry.link, running };
    const { link } = entry;
    this.#arrives(() => this.#watcher?.linkChanged(link));
  }

  setBalancer(state: BalancerState): void {
    this.#programs.setBalancer(state);
  }

  receive(frame: Frame): void {
    if (frame.kind === 'announcement') return;
    if (frame.kind === 'datagram') this.#arrives(() => this.#receiveDatagram(frame.port, frame.datagram));
    else this.#arrives(() => this.#receivePacket(frame));
  }

  #receiveDatagram(port: number, datagram: Omit<ReceivedDatagram, 'interfaceIndex'>): void {
    const entry = this.#links.find(({ addresses }) => addresses.includes(datagram.destination));
    if (entry === undefined || !entry.link.running) return;
    for (const listener of [...this.#listeners])
      if (listener.port === port) listener.received({ ...datagram, interfaceIndex: entry.link.index });
  }

  #receivePacket(frame: Frame & { readonly kind: 'vrrp' }): void {
    const { packet } = frame;
    const entry = this.#links.find(({ link }) => link.name === frame.network);
    if (entry === undefined || !entry.link.running) return;
    for (const { options, received } of [...this.#channels]) {
      const { interfaceName, family, protocol, group, source } = options;
      if (interfaceName !== frame.network || family !== packet.family || protocol !== frame.protocol) continue;
      // A multicast socket also gets what is sent to the host itself, as the kernel has it.
      if (packet.destination === group || packet.destination === source)
        received({ ...packet, interfaceIndex: entry.link.index });
    }
  }

  /** Something for the daemon: now, or when it runs again. */
  #arrives(happen: () => void): void {
    const life = this.#life;
    const whenAlive = () => {
      if (this.#life === life) happen();
    };
    if (this.#waiting === undefined) whenAlive();
    else this.#waiting.arrivals.push(whenAlive);
  }

  /** What is asked for now, and comes later. */
  #forThisLife(happen: () => void): () => void {
    const life = this.#life;
    return () => {
      if (this.#life === life) this.#arrives(happen);
    };
  }

  #forget(): void {
    this.#waiting = undefined;
    this.#listeners = [];
    this.#channels = [];
    this.#watcher = undefined;
    this.#programs.forget();
  }

  // ------------------------------------------------------------ the ports

  #ports(): FailoverPorts {
    const journal = { log: () => {}, detail: () => {} };
    return {
      clock: this.#clock(),
      packets: this.#packets(),
      links: this.#kernel(),
      scripts: this.#programs.port(),
      journal,
      ...(this.#chance === undefined ? {} : { bfd: { datagrams: this.#datagrams(), random: this.#chance } }),
    };
  }

  #clock(): Clock {
    const life = this.#life;
    return {
      now: () => this.#time.now(),
      wall: () => this.#time.wall(),
      alarm: (ring) =>
        this.#time.alarm(() => {
          if (this.#life !== life) return;
          if (this.#waiting === undefined) ring();
          else this.#waiting.alarms.push(ring);
        }),
    };
  }

  #packets(): Packets {
    return {
      open: (options, received) => {
        const channel = { options, received };
        this.#channels.push(channel);
        return {
          channel: {
            send: (payload, destination, identification) => {
              this.#transmit(options, payload.slice(), destination, identification);
              return undefined;
            },
            close: () => {
              this.#channels = this.#channels.filter((each) => each !== channel);
            },
          },
        };
      },
      receiveWaiting: () => {},
      sendFrame: (interfaceIndex, frame) => {
        const entry = this.#links.find(({ link }) => link.index === interfaceIndex);
        // ARP's sender protocol address (RFC 826) behind 14 octets of Ethernet; neighbour advertisements are not followed.
        if (entry?.link.running && frame[12] === 0x08 && frame[13] === 0x06)
          this.#send(this, { kind: 'announcement', address: [...frame.subarray(28, 32)].join('.') });
        return undefined;
      },
    };
  }

  #transmit(options: ChannelOptions, payload: Uint8Array, destination: string, identification: number): void {
    const { interfaceName: network, family, source, ttl, protocol } = options;
    if (!this.#links.find(({ link }) => link.name === network)?.link.running) return;
    this.#send(this, {
      kind: 'vrrp',
      network,
      protocol,
      packet: { family, source, destination, ttl, identification, payload },
    });
  }

  #datagrams(): Datagrams {
    return {
      listen: (_family, port, received) => {
        const waiting: { readonly datagram: ReceivedDatagram; readonly at: number }[] = [];
        let prompt = true;
        const read = () => {
          const now = this.#time.now();
          for (const { datagram, at } of waiting.splice(0)) received({ ...datagram, waitedMs: now - at });
        };
        const arrived = (datagram: ReceivedDatagram) => {
          waiting.push({ datagram, at: this.#time.now() });
          if (prompt) read();
        };
        const listener = { port, received: arrived, read };
        this.#listeners.push(listener);
        return {
          attend: (wanted) => {
            prompt = wanted;
            if (prompt) read();
          },
          close: () => {
            this.#listeners = this.#listeners.filter((each) => each !== listener);
          },
        };
      },
      open: ({ family, source, destination, port, ttl }) => {
        const entry = this.#links.find(({ addresses }) => source === undefined || addresses.includes(source));
        const own = source ?? entry?.addresses[0];
        if (own === undefined) return { failure: 'EADDRNOTAVAIL' };
        return {
          send: (payload) => {
            if (entry?.link.running !== true) return 'ENETUNREACH';
            const datagram = { family, source: own, destination, ttl, payload: payload.slice(), waitedMs: 0 };
            this.#send(this, { kind: 'datagram', port, datagram });
            return undefined;
          },
          close: () => {},
        };
      },
      receiveWaiting: () => {
        for (const { read } of this.#listeners) read();
      },
    };
  }

  #kernel(): Links {
    const success = () => undefined;
    return {
      links: () => this.#links.map(({ link }) => link),
      link: (name) => this.#links.find(({ link }) => link.name === name)?.link,
      addresses: () =>
        this.#links.flatMap(({ link, addresses }) =>
          addresses.map((address) => ({
            interfaceIndex: link.index,
            family: address.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
            address,
            prefix: address.includes(':') ? 64 : 24,
            scope: 0,
            tentative: false,
          })),
        ),
      watch: (watcher) => {
        this.#watcher = watcher;
      },
      addAddress: ({ address, lifetimeSeconds }: AddressRequest) => {
        this.held.add(address);
        this.#lease(address, lifetimeSeconds);
        return undefined;
      },
      removeAddress: ({ address }: AddressRequest) => {
        this.held.delete(address);
        return undefined;
      },
      addRoute: success,
      removeRoute: success,
      addRule: success,
      removeRule: success,
      createVmac: () => ({ failure: 'no macvlan in the simulation' }),
      removeLink: success,
      askNeighbours: success,
      parameter: success,
      setParameter: success,
    };
  }

  #lease(address: string, seconds: number | undefined): void {
    const until = seconds === undefined ? Infinity : this.#time.now() + seconds * 1000;
    this.#leases.set(address, until);
    if (until < Infinity)
      this.#time.at(until, () => {
        if (this.#leases.get(address) === until) this.held.delete(address);
      });
  }
}

function makeLink(index: number, name: string): Link {
  return {
    index,
    name,
    up: true,
    running: true,
    multicast: true,
    hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, index),
    mtu: 1500,
  };
}
