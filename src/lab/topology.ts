/**
 * From the user's plans to the hosts, addresses and services of a cluster: pure. What the files name keeps its address; what they leave
 * open gets a free one beside the virtual address; what can't exist here is stood in for, and said in `standIns`.
 */
import { parsePrefix } from '../core/address.ts';
import type { VirtualAddress, VirtualRouterSettings } from '../core/vrrp/settings.ts';
import type { BackendPlan, BalancerPlan, FrontendPlan, ServerPlan } from '../plan/balancer.ts';
import type { VrrpPlan } from '../plan/vrrp.ts';
import { AddressBook, isLoopback, subnetOf } from './address-book.ts';
import { checkAnswer } from './check-answer.ts';
import type { HostedService } from './hosted-service.ts';
import type { HostInterface } from './network.ts';

export interface NodeFiles {
  /** Also the host's name, so that lines marked @name count. */
  readonly name: string;
  readonly keepalived: string;
  readonly plan: VrrpPlan;
  /** Own address where the files leave it open and somebody cares. */
  readonly address?: string;
}

export interface HostTopology {
  readonly name: string;
  readonly interfaces: readonly HostInterface[];
  readonly services: readonly HostedService[];
}

export interface Topology {
  readonly segments: number;
  readonly nodes: readonly HostTopology[];
  /** The web servers behind the probed frontend, one a host; `others` holds every other address that the files name. */
  readonly servers: readonly HostTopology[];
  readonly others: HostTopology | undefined;
  readonly client: HostTopology;
  /** Where clients go. */
  readonly virtualAddress: string;
  readonly port: number;
  readonly frontend: string;
  readonly backend: BackendPlan;
  /** Which virtual router holds that address: by VRID and family, because nodes may name it differently. */
  readonly routerKey: string;
  /** Server names that run on the balancers themselves. */
  readonly localServers: readonly string[];
  readonly names: ReadonlyMap<string, string>;
  readonly bindsForeign: boolean;
  readonly standIns: readonly string[];
}

/** What the files ask for that no cluster can be made of: for the operator. */
export class TopologyError extends Error {}

export function routerKey({ virtualRouterId, family }: VirtualRouterSettings): string {
  return `${virtualRouterId}/${family}`;
}

/** The settings of each node for one virtual router; undefined where the node has no part in it. */
export function routerOf(node: NodeFiles, key: string): VrrpPlan['routers'][number] | undefined {
  return node.plan.routers.find(({ settings }) => routerKey(settings) === key);
}

/** The first virtual address of the files, the one that is probed. */
export function probedRouter(nodes: readonly NodeFiles[]): { readonly key: string; readonly address: VirtualAddress } {
  const routers = nodes.flatMap(({ plan }) => plan.routers.map(({ settings }) => settings));
  const having = routers.filter(({ addresses }) => addresses.length > 0);
  const chosen = having.find(({ family }) => family === 'ipv4') ?? having[0];
  if (chosen === undefined) throw new TopologyError('no keepalived.conf has a vrrp_instance with a virtual_ipaddress');
  return { key: routerKey(chosen), address: chosen.addresses[0]! };
}

/** Addresses for names that no resolver of the lab knows, beside the virtual address. */
export function addressesForNames(
  nodes: readonly NodeFiles[],
  names: readonly string[],
  taken: readonly string[],
): ReadonlyMap<string, string> {
  const book = new AddressBook(taken);
  for (const { plan } of nodes) for (const { settings } of plan.routers) book.takeAll(settings);
  const subnet = subnetOf(probedRouter(nodes).address);
  return new Map(names.map((name) => [name, name === 'localhost' ? '127.0.0.1' : book.free(subnet, 101)]));
}

/** Throws TopologyError when the files make no cluster that clients could ask. */
export function deriveTopology(
  balancer: BalancerPlan,
  nodes: readonly NodeFiles[],
  names: ReadonlyMap<string, string>,
): Topology {
  return new Derivation(balancer, nodes, names).topology();
}

class Derivation {
  readonly #balancer: BalancerPlan;
  readonly #nodes: readonly NodeFiles[];
  readonly #names: ReadonlyMap<string, string>;
  readonly #book: AddressBook;
  readonly #standIns: string[] = [];
  /** Segment of `node interface`. */
  readonly #segments = new Map<string, number>();
  /** For each node, its interfaces with their addresses (with prefix). */
  readonly #interfaces = new Map<string, Map<string, string[]>>();
  readonly #key: string;
  readonly #virtual: VirtualAddress;

  constructor(balancer: BalancerPlan, nodes: readonly NodeFiles[], names: ReadonlyMap<string, string>) {
    this.#balancer = balancer;
    this.#nodes = nodes;
    this.#names = names;
    const { key, address } = probedRouter(nodes);
    this.#key = key;
    this.#virtual = address;
    this.#book = new AddressBook([
      ...names.values(),
      ...balancer.backends.flatMap(({ servers }) => servers.flatMap(({ address }) => hostOf(address) ?? [])),
      ...nodes.flatMap(({ address }) => address ?? []),
    ]);
    for (const { plan } of nodes) for (const { settings } of plan.routers) this.#book.takeAll(settings);
  }

  topology(): Topology {
    this.#layCables();
    for (const node of this.#nodes) this.#addressNode(node);
    const { frontend, port } = this.#probed();
    const backend = this.#balancer.backends[frontend.backend]!;
    const placed = this.#placeServices(backend);
    const client = this.#client();
    for (const [name, address] of this.#names) this.#standIns.push(`the name ${name} stands for ${address}`);
    const nodes = this.#nodes.map(({ name }) => ({
      name,
      interfaces: this.#interfacesOf(name),
      services: placed.local,
    }));
    return {
      ...placed,
      segments: Math.max(0, ...this.#segments.values()) + 1,
      nodes,
      client,
      virtualAddress: this.#virtual.address,
      port,
      frontend: frontend.name,
      backend,
      routerKey: this.#key,
      names: this.#names,
      bindsForeign: this.#balancer.frontends.some(({ binds }) =>
        binds.some(({ address }) => address.family !== 'unix' && !isWildcard(address.host)),
      ),
      standIns: this.#standIns,
    };
  }

  // ---------------------------------------------------------------- nodes

  /** Interfaces of one virtual router hang on one switch, whatever each node calls them; others by their name. */
  #layCables(): void {
    const segmentOfLabel = new Map<string, number>();
    const segment = (label: string) => {
      if (!segmentOfLabel.has(label)) segmentOfLabel.set(label, segmentOfLabel.size);
      return segmentOfLabel.get(label)!;
    };
    const labels = new Map<string, string>();
    for (const { name, plan } of this.#nodes)
      for (const { settings } of plan.routers) {
        const wire = `${name} ${settings.interface || 'eth0'}`;
        const group = routerKey(settings);
        // The probed router's switch is the first one; a second router on the same interface shares its switch.
        const label = labels.get(wire) ?? labels.get(group) ?? group;
        labels.set(wire, label);
        labels.set(group, label);
      }
    segment(labels.get(this.#key) ?? this.#key);
    for (const { name, plan } of this.#nodes) {
      const own = new Map<string, string[]>();
      this.#interfaces.set(name, own);
      const used = plan.routers.flatMap(({ settings, trackInterfaces }) => [
        settings.interface || 'eth0',
        ...trackInterfaces.map((tracked) => tracked.name),
        // Macvlans are made by the daemon itself, above interfaces that are tracked.
        ...[...settings.addresses, ...settings.excludedAddresses].flatMap(({ device, onVmac }) =>
          onVmac === true ? [] : (device ?? []),
        ),
      ]);
      for (const interfaceName of new Set(used)) {
        if (interfaceName === 'lo') continue;
        own.set(interfaceName, []);
        const wire = `${name} ${interfaceName}`;
        this.#segments.set(wire, segment(labels.get(wire) ?? `interface ${interfaceName}`));
      }
    }
  }

  #addressNode(node: NodeFiles): void {
    for (const { settings } of node.plan.routers) {
      const interfaceName = settings.interface || 'eth0';
      const own = this.#interfaces.get(node.name)?.get(interfaceName);
      if (own === undefined) continue;
      const source = settings.transport.source ?? this.#namedByPeers(node, settings);
      if (source !== undefined) this.#give(own, source);
      else if (node.address !== undefined && own.length === 0) this.#give(own, node.address);
      for (const address of settings.addresses) {
        if (address.device !== undefined && address.device !== interfaceName) continue;
        const subnet = subnetOf(address);
        if (!own.some((each) => sameSubnet(each, subnet)))
          own.push(`${this.#book.free(subnet, 11)}/${prefixOf(subnet)}`);
      }
    }
  }

  #give(own: string[], address: string): void {
    if (own.some((each) => each.startsWith(`${address}/`))) return;
    this.#book.take(address);
    own.push(`${address}/${prefixOf(subnetOf({ address }))}`);
  }

  /** With unicast the other nodes' peer lists say who this one is, once those that say it themselves are taken out. */
  #namedByPeers(node: NodeFiles, settings: VirtualRouterSettings): string | undefined {
    const key = routerKey(settings);
    const others = this.#nodes.filter((other) => other !== node);
    const known = new Set(this.#nodes.map((each) => routerOf(each, key)?.settings.transport.source));
    const own = settings.transport.kind === 'unicast' ? settings.transport.peers.map(({ address }) => address) : [];
    const candidates = others.flatMap((other) => {
      const transport = routerOf(other, key)?.settings.transport;
      return transport?.kind === 'unicast' ? transport.peers.map(({ address }) => address) : [];
    });
    return candidates.find((address) => !known.has(address) && !own.includes(address));
  }

  #interfacesOf(node: string): readonly HostInterface[] {
    return [...(this.#interfaces.get(node) ?? [])]
      .map(([name, addresses]) => ({ name, addresses, segment: this.#segments.get(`${node} ${name}`)! }))
      .sort((a, b) => a.segment - b.segment);
  }

  // ---------------------------------------------------------------- the client

  #probed(): { readonly frontend: FrontendPlan; readonly port: number } {
    const reachable = this.#balancer.frontends.filter(({ disabled, backend }) => !disabled && backend >= 0);
    for (const frontend of reachable.toSorted((a, b) => Number(a.mode === 'tcp') - Number(b.mode === 'tcp')))
      for (const { address } of frontend.binds)
        if (address.family !== 'unix' && (isWildcard(address.host) || address.host === this.#virtual.address))
          return { frontend, port: address.port };
    throw new TopologyError(
      `no frontend with a default backend binds the virtual address ${this.#virtual.address} (or every address)`,
    );
  }

  #client(): HostTopology {
    const subnet = subnetOf(this.#virtual);
    const address = `${this.#book.free(subnet, 10)}/${prefixOf(subnet)}`;
    return { name: 'client', interfaces: [{ name: 'eth0', segment: 0, addresses: [address] }], services: [] };
  }

  // ---------------------------------------------------------------- servers and log receivers

  #placeServices(probed: BackendPlan) {
    const virtual = new Set(
      this.#nodes.flatMap(({ plan }) => plan.routers.flatMap((r) => r.settings.addresses.map((a) => a.address))),
    );
    const own = new Set(
      [...this.#interfaces.values()].flatMap((each) => [...each.values()].flat().map((a) => a.split('/')[0]!)),
    );
    const byHost = new Map<string, HostedService[]>();
    const local: HostedService[] = [];
    const localServers: string[] = [];
    const place = (service: HostedService, probedServer: boolean) => {
      const { host, port } = service;
      if (isLoopback(host) || own.has(host)) {
        if (local.some((each) => each.host === host && each.port === port && each.kind === service.kind)) return;
        local.push(service);
        if (probedServer) localServers.push(service.title);
        return;
      }
      if (virtual.has(host)) {
        this.#standIns.push(`${service.title}: ${host} is a virtual address; nothing stands in for it`);
        return;
      }
      const there = byHost.get(host) ?? [];
      if (there.some((each) => each.port === port && each.kind === service.kind)) return;
      byHost.set(host, [...there, service]);
    };
    for (const backend of [probed, ...this.#balancer.backends.filter((each) => each !== probed)])
      for (const server of backend.servers)
        for (const service of this.#servicesOf(server)) place(service, backend === probed);
    for (const { to } of this.#balancer.logTargets)
      if (to.kind === 'udp' && to.address.family !== 'unix')
        place({ kind: 'log', title: 'log receiver', host: to.address.host, port: to.address.port }, false);
    const front = new Set(probed.servers.flatMap(({ address }) => hostOf(address) ?? []));
    const servers: HostTopology[] = [];
    const rest: [string, HostedService[]][] = [];
    for (const [host, services] of byHost) {
      if (front.has(host)) servers.push({ name: services[0]!.title, interfaces: [this.#hang([host])], services });
      else rest.push([host, services]);
    }
    const others =
      rest.length === 0
        ? undefined
        : {
            name: 'others',
            interfaces: [this.#hang(rest.map(([host]) => host))],
            services: rest.flatMap(([, services]) => services),
          };
    return { servers, others, local, localServers };
  }

  #servicesOf(server: ServerPlan): HostedService[] {
    const { address, check } = server;
    if (address === undefined) return [];
    if (address.family === 'unix') {
      this.#standIns.push(`server ${server.name}: nothing stands in for the socket ${address.path}`);
      return [];
    }
    const answer = check === undefined ? undefined : checkAnswer(check, server.name);
    if (answer?.doubt !== undefined) this.#standIns.push(`server ${server.name}: ${answer.doubt}`);
    const ports =
      server.portOffset === undefined
        ? [address.port]
        : this.#balancer.frontends.flatMap(({ binds }) =>
            binds.flatMap((bind) =>
              bind.address.family === 'unix' ? [] : bind.address.port + (server.portOffset ?? 0),
            ),
          );
    const base = {
      kind: 'web',
      title: server.name,
      ...(answer?.check === undefined ? {} : { check: answer.check }),
    } as const;
    const services: HostedService[] = ports.map((port) => ({ ...base, host: address.host, port }));
    if (check?.address !== undefined && check.address.family !== 'unix')
      services.push({ ...base, host: check.address.host, port: check.address.port });
    return services;
  }

  /** Puts addresses on the first switch. A subnet that no balancer is in yet gives each of them an address in it. */
  #hang(addresses: readonly string[]): HostInterface {
    for (const address of addresses) {
      this.#book.take(address);
      const subnet = subnetOf({ address });
      for (const { name } of this.#nodes) {
        const own = this.#interfaces.get(name)!;
        if ([...own.values()].flat().some((each) => sameSubnet(each, subnet))) continue;
        const first =
          [...own].find(([wire]) => this.#segments.get(`${name} ${wire}`) === 0)?.[1] ?? [...own.values()][0];
        const free = this.#book.free(subnet, 11);
        first?.push(`${free}/${prefixOf(subnet)}`);
        this.#standIns.push(`${name} gets the address ${free} to reach ${address}`);
      }
    }
    const segment = this.#segmentOf(addresses[0] ?? '');
    return {
      name: 'eth0',
      segment,
      addresses: addresses.map((address) => `${address}/${prefixOf(subnetOf({ address }))}`),
    };
  }

  #segmentOf(address: string): number {
    const subnet = subnetOf({ address });
    for (const { name } of this.#nodes)
      for (const [wire, own] of this.#interfaces.get(name) ?? [])
        if (own.some((each) => sameSubnet(each, subnet))) return this.#segments.get(`${name} ${wire}`) ?? 0;
    return 0;
  }
}

function hostOf(address: ServerPlan['address']): string | undefined {
  return address === undefined || address.family === 'unix' ? undefined : address.host;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function sameSubnet(addressWithPrefix: string, subnet: string): boolean {
  const parsed = parsePrefix(addressWithPrefix);
  return parsed !== undefined && `${parsed.network}/${parsed.prefix}` === subnet;
}

function prefixOf(subnet: string): string {
  return subnet.split('/')[1] ?? '24';
}
