/**
 * A running cluster: hosts of a topology, servers, and an engine on every balancer; what its nodes say and which of them hold the
 * virtual address, as it happens. Everything is awaited by event, in bounded time.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AddressWatch } from './address-watch.ts';
import type { Engine, NodeConfiguration } from './engine.ts';
import { type Host, Network } from './network.ts';
import { monotonicMs } from './prober/load.ts';
import type { HostTopology, Topology } from './topology.ts';

export type VrrpState = 'MASTER' | 'BACKUP' | 'FAULT' | 'INIT';

/** Something that happened; times on the machine's monotonic clock. */
export interface ClusterEvent {
  readonly at: number;
  readonly node: string;
  readonly kind: 'state' | 'address' | 'log';
  readonly text: string;
}

export interface ClusterFiles {
  readonly haproxy: readonly string[];
  /** keepalived.conf of each node, by its name. */
  readonly keepalived: ReadonlyMap<string, string>;
  /** Scripts that the files name and the machine does not have. */
  readonly scripts: ReadonlyMap<string, string>;
  /** What each node calls the probed router. */
  readonly instances: ReadonlyMap<string, string>;
}

export class Cluster {
  readonly topology: Topology;
  readonly engine: Engine;
  readonly addresses: AddressWatch;
  readonly events: ClusterEvent[] = [];
  /** Told of every event as it comes. */
  onEvent: ((event: ClusterEvent) => void) | undefined;
  readonly #files: ClusterFiles;
  #network: Network | undefined;
  readonly #hosts = new Map<string, Host>();
  readonly #states = new Map<string, VrrpState>();
  readonly #priorities = new Map<string, number>();
  readonly #stand = new Map<string, ChildProcess>();
  readonly #log: string[] = [];
  readonly #waiting = new Set<() => void>();
  #ending = false;

  constructor(topology: Topology, engine: Engine, files: ClusterFiles) {
    this.topology = topology;
    this.engine = engine;
    this.#files = files;
    this.addresses = new AddressWatch(topology.virtualAddress, (at, node, held) =>
      this.#tell({
        at,
        node,
        kind: 'address',
        text: held ? 'has the virtual address' : 'lets go of the virtual address',
      }),
    );
  }

  get client(): Host {
    return this.host('client');
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  get nodes(): readonly string[] {
    return this.topology.nodes.map(({ name }) => name);
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`the cluster has no host ${name}`);
    return host;
  }

  async start(): Promise<void> {
    const { topology } = this;
    this.#network = await Network.create(topology.segments);
    const others = topology.others === undefined ? [] : [topology.others];
    const boot = async (host: HostTopology, node: boolean) => {
      const names = node ? topology.names : undefined;
      const options = { name: host.name, interfaces: host.interfaces, bindsForeign: node && topology.bindsForeign };
      this.#hosts.set(host.name, await this.#network!.host(names === undefined ? options : { ...options, names }));
      if (!node) await this.startServices(host.name);
    };
    const backs = Promise.all([...topology.servers, ...others, topology.client].map((host) => boot(host, false)));
    await Promise.all(topology.nodes.map((node) => boot(node, true)));
    await Promise.all(topology.nodes.map(async ({ name }) => this.prepareNode(name)));
    for (const name of this.nodes) this.startNode(name);
    await backs;
  }

  /** A node's own stand-ins: what a booted machine has before the engine starts. */
  async prepareNode(name: string): Promise<void> {
    const host = this.host(name);
    await host.runToEnd('mkdir', '-p', '/run/haproxy');
    for (const [path, text] of this.#files.scripts) await host.write(path, text, '755');
    await this.addresses.watch(host);
    await this.startServices(name);
  }

  /** Starts the stand-in services of a host, if it has some and they don't run. */
  async startServices(name: string): Promise<void> {
    const { topology } = this;
    const all = [
      ...topology.nodes,
      ...topology.servers,
      topology.client,
      ...(topology.others === undefined ? [] : [topology.others]),
    ];
    const services = all.find((host) => host.name === name)?.services ?? [];
    if (services.length === 0 || this.#stand.has(name)) return;
    const program = fileURLToPath(new URL(`./web-server${extname(import.meta.url)}`, import.meta.url));
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', program, JSON.stringify(services)];
    const child = this.host(name).run(argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin?.on('error', () => {});
    this.#stand.set(name, child);
    child.on('exit', () => {
      if (this.#stand.get(name) === child) this.#stand.delete(name);
    });
    await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null)
      throw new Error(`the stand-in services of ${name} ended with status ${child.exitCode}`);
  }

  /** Changes how a host's web servers answer (see web-server.ts); resolves when they do. */
  async behave(name: string, behaviour: string): Promise<void> {
    const child = this.#stand.get(name);
    if (child === undefined) return;
    const changed = once(child.stdout!, 'data');
    child.stdin?.write(`${behaviour}\n`);
    await changed;
  }

  signalServices(name: string, signal: NodeJS.Signals): number {
    return this.host(name).signal(/web-server\.[jt]s/, signal);
  }

  startNode(name: string): void {
    const files: NodeConfiguration = {
      haproxy: this.#files.haproxy,
      keepalived: this.#files.keepalived.get(name)!,
    };
    this.engine.start(this.host(name), files, (child) => {
      for (const stream of [child.stdout, child.stderr])
        if (stream !== null) createInterface(stream).on('line', (line) => this.#logged(name, line));
      child.on('exit', (code, signal) => {
        if (!this.#ending) this.#logged(name, `a program ended with ${signal ?? `status ${code}`}`);
      });
    });
  }

  /** Another VRRP daemon, on a host that is no node. */
  startVrrp(host: Host, file: string): void {
    const child = this.engine.startVrrp(host, file);
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#logged(host.name, line));
  }

  get haproxyFiles(): readonly string[] {
    return this.#files.haproxy;
  }

  state(node: string): VrrpState | undefined {
    return this.#states.get(node);
  }

  priority(node: string): number | undefined {
    return this.#priorities.get(node);
  }

  /** What ended without a word has no state any more. */
  forgetState(node: string): void {
    this.#states.delete(node);
    this.#tell({ at: monotonicMs(), node, kind: 'state', text: 'gone' });
  }

  nodeStates(): readonly (readonly [string, VrrpState | undefined])[] {
    return this.nodes.map((node) => [node, this.#states.get(node)]);
  }

  /** Resolves as soon as the condition holds; it is asked after every event. Throws Error after `ms`. */
  async until(what: string, condition: () => boolean, ms = 20_000): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`${what}: not within ${ms / 1000} s`));
      }, ms);
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** To be called when something changed that a condition may look at. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  async becomes(node: string, state: VrrpState): Promise<void> {
    await this.until(`${node} becomes ${state}`, () => this.#states.get(node) === state);
  }

  /** The node that has the virtual address, as soon as one does. */
  async master(): Promise<string> {
    const found = () => this.nodes.find((node) => this.#states.get(node) === 'MASTER');
    await this.until('a node becomes MASTER', () => found() !== undefined);
    return found()!;
  }

  recentLog(lines: number): readonly string[] {
    return this.#log.slice(-lines);
  }

  async dispose(): Promise<void> {
    this.#ending = true;
    await this.#network?.dispose();
  }

  #logged(node: string, line: string): void {
    const at = monotonicMs();
    this.#log.push(`${node}: ${line}`);
    if (this.#log.length > 2000) this.#log.splice(0, 1000);
    // Other routers of the same files have states of their own; what is drilled is the one that holds the probed address.
    const instance = this.#files.instances.get(node);
    const said = /\(([^)]+)\) (.*)$/.exec(line);
    const ours = said !== null && said[1] === instance ? said[2]! : '';
    const priority = /effective priority from \d+ to (\d+)/.exec(ours);
    if (priority !== null) this.#priorities.set(node, Number(priority[1]));
    const state = /Entering (MASTER|BACKUP|FAULT|INIT) STATE/.exec(ours)?.[1] as VrrpState | undefined;
    if (state !== undefined) {
      this.#states.set(node, state);
      this.#tell({ at, node, kind: 'state', text: state });
    } else if (/\bStopped\b(?! \()/.test(line) && this.#states.has(node)) this.forgetState(node);
    else this.#tell({ at, node, kind: 'log', text: line });
  }

  #tell(event: ClusterEvent): void {
    this.events.push(event);
    this.onEvent?.(event);
    this.wake();
  }
}
