/**
 * A cluster of the user's files in virtual time: on each node the real failover engine on a virtual kernel (sim/vrrp), a balancer that serves,
 * hangs or is dead, and what starts them again. Faults are done to processes, cables and packets, as in the namespaces (src/lab/actions.ts).
 *
 * Played: VRRP, what is tracked, readiness, the nodes' watch over each other, addresses, announcements. Not played: web servers and logs, what
 * a balancer does with a request, descriptors, load.
 */
import { readFileSync } from 'node:fs';
import { parseHaproxy } from '../../src/config/haproxy/parse.ts';
import { parseKeepalived } from '../../src/config/keepalived/parse.ts';
import { vrrpDaemon } from '../../src/core/limits.ts';
import { stateWord } from '../../src/core/vrrp/events.ts';
import { badLine } from '../../src/lab/actions.ts';
import type { VrrpState } from '../../src/lab/cluster.ts';
import type { Step } from '../../src/lab/drill-file.ts';
import type { Engine } from '../../src/lab/engine.ts';
import { strangerConfiguration } from '../../src/lab/intruder.ts';
import type { LoadedCluster } from '../../src/lab/load-cluster.ts';
import { buildVrrpPlan } from '../../src/plan/build-vrrp.ts';
import type { VrrpPlan } from '../../src/plan/vrrp.ts';
import { SeededRandom } from '../clock.ts';
import { PlanCluster, type PlanNode } from '../vrrp/plan-cluster.ts';
import type { PlanHost } from '../vrrp/plan-host.ts';
import { Clients, type Reception } from './clients.ts';

export interface SimulatedEvent {
  readonly at: number;
  readonly node: string;
  readonly kind: 'state' | 'address';
  readonly text: string;
}

export interface SimulatedHolding {
  readonly node: string;
  readonly from: number;
  to: number | undefined;
}

/** From its start until a half works, milliseconds: typical; no outage is made of them. */
const vrrpStartMs = 300;
const balancerStartMs = 1000;

const stranger = 'stranger';

interface Machine {
  readonly host: PlanHost;
  readonly router: string;
  powered: boolean;
  linked: boolean;
  /** Counts what happened to its balancer: a start that was overtaken does nothing. */
  life: number;
}

export class SimulatedCluster {
  readonly clients: Clients;
  readonly events: SimulatedEvent[] = [];
  readonly holdings: SimulatedHolding[] = [];
  onEvent: ((event: SimulatedEvent) => void) | undefined;
  readonly #loaded: LoadedCluster;
  readonly #engine: Engine;
  readonly #world: PlanCluster;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #states = new Map<string, VrrpState | undefined>();

  /** @param seed of what the nodes leave to chance. */
  constructor(loaded: LoadedCluster, engine: Engine, seed: number) {
    this.#loaded = loaded;
    this.#engine = engine;
    const { topology, predicted, files } = loaded;
    const nodes = predicted.map(({ name, plan }): PlanNode => {
      const { interfaces } = topology.nodes.find((node) => node.name === name)!;
      return { name, plan, sources: addressesByInterface(interfaces) };
    });
    const [first] = predicted;
    const interfaceName = first!.router.settings.interface || 'eth0';
    const { virtualRouterId } = first!.router.settings;
    const sources = addressesByInterface(topology.client.interfaces);
    const own = [...sources.values()][0] ?? [];
    const plan = planOf(strangerConfiguration(own[0] ?? '', virtualRouterId, interfaceName));
    const client: PlanNode = { name: stranger, plan, sources: new Map([[interfaceName, own]]) };
    const kind = engine.readinessIsTold ? 'evergate' : 'keepalived';
    this.#world = new PlanCluster([...nodes, client], kind, new SeededRandom(seed));
    this.#world.kill(stranger);
    this.#machines = new Map(
      predicted.map(({ name }) => {
        const router = files.instances.get(name)!;
        return [name, { host: this.#world.host(name), router, powered: true, linked: true, life: 0 }];
      }),
    );
    // What stands in for a script that is not here asks whether the balancer's process exists (src/lab/load-cluster.ts).
    for (const { name, plan } of predicted)
      for (const script of plan.scripts)
        if (script.command.argv.some((word) => files.scripts.has(word)))
          this.#machine(name).host.scripts.set(script.name, 'exists');
    this.clients = new Clients(this.#world.time, {
      announced: () => this.#announced(),
      reception: (node) => this.#reception(node),
      answersArp: () => this.holders().find((node) => this.#reaches(node)),
    });
  }

  now(): number {
    return this.#world.time.now();
  }

  stateOf(node: string): VrrpState | undefined {
    const machine = this.#machines.get(node);
    const kind = machine?.host.stateOf(machine.router);
    return kind === undefined ? undefined : stateWord[kind];
  }

  holders(): readonly string[] {
    const { virtualAddress } = this.#loaded.topology;
    return [...this.#machines].filter(([, { host }]) => host.held.has(virtualAddress)).map(([name]) => name);
  }

  /** Lets time pass. @returns false: `over` held before `ms` were over. */
  advance(ms: number, over: () => boolean = () => false): boolean {
    const { time } = this.#world;
    let ended = false;
    time.at(time.now() + ms, () => {
      ended = true;
    });
    let looked = time.now();
    while (!ended && time.step()) {
      this.#note();
      if (time.now() < looked + lookMs) continue;
      looked = time.now();
      if (over()) return false;
    }
    return true;
  }

  perform(step: Step, targets: readonly string[]): void {
    if (step.verb === 'intruder') {
      if (step.what === 'starts') this.#world.start(stranger);
      else this.#world.stop(stranger);
    } else if (step.verb === 'stall') {
      for (const name of targets) this.#freeze(name, step.what);
      this.advance(step.ms);
      for (const name of targets) this.#thaw(name);
    } else for (const name of targets) this.#on(name, step);
    this.#note();
    this.clients.look();
  }

  /** Puts everything right that faults have left. */
  repair(): void {
    this.#world.stop(stranger);
    for (const [name, { powered }] of this.#machines) {
      this.#thaw(name);
      this.#world.firewall(name, { received: false, sent: false });
      if (powered) this.#plug(name, true);
      this.#startNode(name);
    }
  }

  #on(name: string, step: Step): void {
    switch (step.verb) {
      case 'kill':
        this.#kill(name, step.what);
        return;
      case 'freeze':
        this.#freeze(name, step.what);
        return;
      case 'thaw':
        this.#thaw(name);
        return;
      case 'start':
        this.#startNode(name);
        return;
      case 'stop':
        this.#stop(name);
        return;
      case 'unplug':
      case 'plug':
        this.#plug(name, step.verb === 'plug');
        return;
      case 'power':
        if (step.what === 'on') this.#startNode(name);
        else this.#powerOff(name);
        return;
      case 'reload':
        this.#reload(name, step.what === 'bad');
        return;
      case 'firewall':
        this.#world.firewall(name, {
          received: step.what === 'eats advertisements' || step.what === 'eats received advertisements',
          sent: step.what === 'eats advertisements' || step.what === 'eats sent advertisements',
        });
        return;
      case 'delete':
        this.#machine(name).host.deleteAddress(this.#loaded.topology.virtualAddress);
        return;
      default:
        throw new Error(`the simulator has no ${step.verb}`);
    }
  }

  // ------------------------------------------------------------ processes

  #kill(name: string, what: string): void {
    const { host } = this.#machine(name);
    const restarts = this.#engine.restarts && what !== 'both';
    // First the half that could still say something.
    if (what !== 'balancer') this.#world.kill(name);
    if (what !== 'vrrp') {
      this.#setBalancer(name, 'dead');
      if (restarts) this.#startBalancer(name);
    }
    if (what === 'balancer') return;
    if (restarts)
      this.#world.time.after(vrrpStartMs, () => {
        if (this.#machine(name).powered && host.failover === undefined) this.#world.start(name);
      });
  }

  #freeze(name: string, what: string): void {
    const machine = this.#machine(name);
    if (what !== 'balancer') machine.host.freeze();
    if (what === 'vrrp') return;
    const life = ++machine.life;
    machine.host.setBalancer('frozen');
    // Its beats stop, and a daemon that runs notices.
    if (this.#engine.readinessIsTold && what === 'balancer')
      this.#world.time.after(vrrpDaemon.beatSilenceMsMax, () => {
        if (machine.life === life) this.#tellServing(name);
      });
  }

  #thaw(name: string): void {
    const { host } = this.#machine(name);
    if (host.frozen) host.thaw();
    if (host.balancer === 'frozen') this.#setBalancer(name, 'serves');
  }

  #stop(name: string): void {
    const { host } = this.#machine(name);
    // Evergate's launcher ends the balancer when the address has moved; the originals' units end side by side.
    host.stopInOrder(() => this.#setBalancer(name, 'dead'));
    if (!this.#engine.readinessIsTold) this.#setBalancer(name, 'dead');
  }

  #startNode(name: string): void {
    const machine = this.#machine(name);
    machine.powered = true;
    if (machine.host.frozen) machine.host.thaw();
    if (machine.host.failover === undefined) this.#world.start(name);
    if (machine.host.balancer === 'dead') this.#startBalancer(name);
  }

  #powerOff(name: string): void {
    const machine = this.#machine(name);
    machine.powered = false;
    this.#world.lose(name);
    this.#setBalancer(name, 'dead');
  }

  /** Both halves read their files again; a bad haproxy.cfg leaves the balancer as it was. */
  #reload(name: string, bad: boolean): void {
    const [file] = this.#loaded.files.haproxy;
    if (bad && file !== undefined) {
      const text = `${readFileSync(file, 'utf8')}\n${badLine}\n`;
      const refused = parseHaproxy([{ path: file, text }], []).diagnostics.some(({ severity }) => severity === 'alert');
      if (!refused) this.#setBalancer(name, 'dead');
    }
    this.#machine(name).host.reload();
  }

  #startBalancer(name: string): void {
    const machine = this.#machine(name);
    const life = ++machine.life;
    this.#world.time.after(balancerStartMs, () => {
      if (machine.life === life && machine.powered) this.#setBalancer(name, 'serves');
    });
  }

  #setBalancer(name: string, state: PlanHost['balancer']): void {
    const machine = this.#machine(name);
    machine.life++;
    machine.host.setBalancer(state);
    this.#tellServing(name);
    this.clients.look();
  }

  #tellServing(name: string): void {
    const { host } = this.#machine(name);
    if (this.#engine.readinessIsTold) host.tellServing(host.balancer === 'serves');
  }

  // ------------------------------------------------------------ the network

  #plug(name: string, plugged: boolean): void {
    const machine = this.#machine(name);
    if (machine.linked === plugged) return;
    machine.linked = plugged;
    for (const link of machine.host.linkNames) this.#world.setLink(name, link, plugged);
  }

  /** Neighbour advertisements are not followed in this network: over IPv6 the last holder has the address. */
  #announced(): string | undefined {
    const { virtualAddress } = this.#loaded.topology;
    return virtualAddress.includes(':') ? this.holdings.at(-1)?.node : this.#world.announced.get(virtualAddress);
  }

  #reaches(name: string): boolean {
    const { powered, linked } = this.#machine(name);
    return powered && linked;
  }

  #reception(name: string): Reception {
    const { host } = this.#machine(name);
    if (!this.#reaches(name) || !host.held.has(this.#loaded.topology.virtualAddress)) return 'silent';
    return host.balancer === 'serves' ? 'answers' : host.balancer === 'dead' ? 'refuses' : 'hangs';
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new RangeError(`the simulator has no node ${name}`);
    return machine;
  }

  /** What changed in the last moment. */
  #note(): void {
    const at = this.now();
    const holders = this.holders();
    for (const node of this.#machines.keys()) {
      const state = this.stateOf(node);
      if (this.#states.get(node) !== state) {
        this.#states.set(node, state);
        this.#tell({ at, node, kind: 'state', text: state ?? 'gone' });
      }
      const held = this.holdings.findLast((each) => each.node === node && each.to === undefined);
      if (holders.includes(node) === (held !== undefined)) continue;
      if (held === undefined) this.holdings.push({ node, from: at, to: undefined });
      else held.to = at;
      const text = held === undefined ? 'has the virtual address' : 'lets go of the virtual address';
      this.#tell({ at, node, kind: 'address', text });
    }
  }

  #tell(event: SimulatedEvent): void {
    this.events.push(event);
    this.onEvent?.(event);
  }
}

/** How often a condition that is waited for is looked at, virtual milliseconds. */
const lookMs = 5;

function addressesByInterface(
  interfaces: readonly { readonly name: string; readonly addresses: readonly string[] }[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(interfaces.map(({ name, addresses }) => [name, addresses.map((each) => each.replace(/\/.*/, ''))]));
}

function planOf(text: string): VrrpPlan {
  const { config } = parseKeepalived([{ path: stranger, text }], { configId: stranger, readFiles: () => [] });
  const { plan } = buildVrrpPlan(config, { hostname: stranger });
  if (plan === undefined) throw new Error('the stranger has no plan');
  return plan;
}
