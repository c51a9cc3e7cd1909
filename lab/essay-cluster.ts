/** The cluster of `examples/`: two balancers, three web servers, one client, with the addresses that the files name. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Host, Network } from './network.ts';

export type NodeName = 'lb1' | 'lb2';
export type ServerName = 'server1' | 'server2' | 'server3';
export type VrrpState = 'MASTER' | 'BACKUP' | 'FAULT' | 'INIT';

const nodes = { lb1: '10.42.0.73', lb2: '10.42.0.38' } as const;
const servers = { server1: '10.42.0.135', server2: '10.42.0.175', server3: '10.42.0.152' } as const;
const keepalivedFile = { lb1: 'keepalived-active.conf', lb2: 'keepalived-passive.conf' } as const;

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const evergate = path('../bin/evergate');

export class EssayCluster {
  readonly virtualAddress = '10.42.0.240';
  /** Told of every change of a node's VRRP state, in Keepalived's words, as the node logs it. */
  onState: ((node: NodeName, state: VrrpState, priority: number | undefined) => void) | undefined;
  readonly #network = new Network();
  readonly #hosts = new Map<string, Host>();
  readonly #states = new Map<NodeName, VrrpState>();
  readonly #priorities = new Map<NodeName, number>();
  readonly #servers = new Map<ServerName, ChildProcess>();
  readonly #log: string[] = [];
  readonly #waiting: { node: NodeName; state: VrrpState; resolve: () => void }[] = [];

  get client(): Host {
    return this.#host('client');
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  async start(): Promise<void> {
    const boot = async (name: string, address: string) =>
      this.#hosts.set(name, await this.#network.host({ name, addresses: [`${address}/24`], interface: 'eth0' }));
    await boot('client', '10.42.0.10');
    for (const [name, address] of Object.entries({ ...nodes, ...servers })) await boot(name, address);
    for (const name of Object.keys(servers)) await this.startServer(name as ServerName);
    for (const name of Object.keys(nodes)) this.startNode(name as NodeName);
  }

  async startServer(name: ServerName): Promise<void> {
    const server = this.#host(name).run([process.execPath, path('./web-server.ts'), '80', name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#servers.set(name, server);
    if (server.stdout !== null) await once(server.stdout, 'data');
  }

  startNode(name: NodeName): void {
    const files = ['-f', path('../examples/haproxy.cfg'), '-k', path(`../examples/${keepalivedFile[name]}`)];
    const node = this.#host(name).run([evergate, 'run', ...files], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, EVERGATE_NODE: process.execPath },
    });
    for (const stream of [node.stdout, node.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#logged(name, line));
    node.on('exit', (code) => this.#log.push(`${name}: ended with status ${code}`));
  }

  /** The node that has the virtual address, as soon as one does. */
  async master(): Promise<NodeName> {
    for (const [node, state] of this.#states) if (state === 'MASTER') return node;
    await Promise.race([this.becomes('lb1', 'MASTER'), this.becomes('lb2', 'MASTER')]);
    return this.master();
  }

  /** Resolves when the node logs that it enters the state (or is in it already); fails after 20 s, with the reason. */
  async becomes(node: NodeName, state: VrrpState): Promise<void> {
    if (this.#states.get(node) === state) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${node} did not become ${state} within 20 s`)), 20_000);
      this.#waiting.push({
        node,
        state,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  nodeStates(): readonly (readonly [NodeName, VrrpState])[] {
    return [...this.#states].sort();
  }

  /** One request from the client through the virtual address: who answered. */
  async askOnce(): Promise<string> {
    const script = `fetch('http://${this.virtualAddress}/').then(async (r) => console.log(r.headers.get('x-served-by') ?? r.status), (e) => console.log(String(e.cause ?? e)))`;
    const child = this.client.run([process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout?.on('data', (bytes) => {
      text += bytes;
    });
    await once(child, 'close');
    return text.trim();
  }

  /** kill -9 of every process of the node's balancer; returns how many there were. */
  killBalancer(node: NodeName): number {
    return this.#host(node).signal(/evergate-balance|main\.[jt]s balance /, 'SIGKILL');
  }

  killServer(name: ServerName): void {
    this.#host(name).signal(/web-server\.ts/, 'SIGKILL');
  }

  recentLog(lines: number): readonly string[] {
    return this.#log.slice(-lines);
  }

  async dispose(): Promise<void> {
    await this.#network.dispose();
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`the cluster has no host ${name}`);
    return host;
  }

  #logged(node: NodeName, line: string): void {
    this.#log.push(`${node}: ${line}`);
    const priority = /Changing effective priority from \d+ to (\d+)/.exec(line);
    if (priority !== null) this.#priorities.set(node, Number(priority[1]));
    const state = /Entering (MASTER|BACKUP|FAULT|INIT) STATE/.exec(line)?.[1] as VrrpState | undefined;
    if (state === undefined) return;
    this.#states.set(node, state);
    this.onState?.(node, state, this.#priorities.get(node));
    for (const waiting of this.#waiting.filter((each) => each.node === node && each.state === state)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}
