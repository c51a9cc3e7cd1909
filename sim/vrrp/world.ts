/**
 * Runs one schedule: nodes with the very machine that runs on the wire, a virtual network and clock, and the monitor that checks the
 * invariants after every step. The same schedule always gives the same run.
 */

import type { HeardAdvertisement, VrrpAction, VrrpEvent } from '../../src/core/vrrp/events.ts';
import { HostBfd } from './bfd.ts';
import { applyFault, type FaultWorld } from './faults.ts';
import { heardDirectly, heardThroughCodec } from './messages.ts';
import { Monitor, type Violation } from './monitor.ts';
import { Network } from './network.ts';
import { SimHost, type SimNode } from './node.ts';
import { ownParts, type Parts } from './parts.ts';
import { EventQueue } from './queue.ts';
import type { Fault, Schedule } from './schedule.ts';

/** At one moment: faults, then messages, then timers. */
const rank = { fault: 0, message: 1, timer: 2 };

type Happening =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'message'; readonly to: SimNode; readonly from: SimNode; readonly heard: HeardAdvertisement }
  | { readonly kind: 'event'; readonly to: SimNode; readonly event: VrrpEvent }
  | { readonly kind: 'announcement'; readonly from: SimNode }
  | { readonly kind: 'timer'; readonly node: SimNode }
  | { readonly kind: 'datagram'; readonly from: SimNode; readonly to: SimNode; readonly payload: Uint8Array }
  | { readonly kind: 'bfd-timer'; readonly host: SimHost; readonly bfd: HostBfd }
  | { readonly kind: 'release'; readonly node: SimNode }
  | { readonly kind: 'wake'; readonly host: SimHost };

export interface WorldOptions {
  /** Instead of the daemon's own. */
  readonly parts?: Parts;
  /** Told what happens, for people. */
  readonly tell?: (at: number, text: string) => void;
}

/** The first violation, or undefined. */
export function runSchedule(schedule: Schedule, options: WorldOptions = {}): Violation | undefined {
  return new World(schedule, options).run();
}

class World {
  readonly #schedule: Schedule;
  readonly #parts: Parts;
  readonly #tell: ((at: number, text: string) => void) | undefined;
  readonly #hosts: readonly SimHost[];
  readonly #byAddress: ReadonlyMap<string, SimNode>;
  readonly #network: Network;
  readonly #faultWorld: FaultWorld;
  readonly #queue = new EventQueue<Happening>();
  /** One for each virtual router. */
  readonly #monitors: readonly Monitor[];
  /** One schedule in sixteen sends real bytes through the codec. */
  readonly #bytes: boolean;
  #now = 0;

  constructor(schedule: Schedule, options: WorldOptions) {
    this.#schedule = schedule;
    this.#parts = options.parts ?? ownParts;
    this.#tell = options.tell;
    this.#hosts = schedule.nodes.map((_, index) => new SimHost(index, schedule));
    this.#byAddress = new Map(this.#hosts.flatMap(({ nodes }) => nodes.map((node) => [node.source, node])));
    this.#network = new Network(schedule.network, this.#hosts.length, schedule.seed);
    this.#monitors = Array.from(
      { length: schedule.grouped ?? 1 },
      (_, router) =>
        new Monitor(
          this.#hosts.map(({ nodes }) => nodes[router]!),
          this.#network,
        ),
    );
    this.#faultWorld = {
      hosts: this.#hosts,
      network: this.#network,
      receiveAdvertisement: this.#parts.receiveAdvertisement,
      now: () => this.#now,
      give: (node, event) => this.#give(node, event),
      giveAll: ({ nodes }, event) => this.#give(nodes[0]!, event, nodes),
      boot: (host) => this.#boot(host),
      stop: (host) => this.#stop(host),
      kill: (host) => this.#kill(host),
      die: (host) => this.#die(host),
      stall: (host, forMs) => this.#stall(host, forMs),
      tellLost: (node) => this.#tellLost(node),
    };
    this.#bytes = schedule.seed % 16 === 0;
  }

  run(): Violation | undefined {
    for (const fault of this.#schedule.faults) this.#queue.push(fault.at, rank.fault, { kind: 'fault', fault });
    for (const host of this.#hosts) this.#boot(host);
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      if (next.at > this.#schedule.durationMs) break;
      this.#now = next.at;
      this.#happen(next.what);
      // Datagrams of BFD sessions change nothing by themselves.
      if (next.what.kind === 'datagram') continue;
      for (const monitor of this.#monitors) {
        const violation = monitor.check(this.#now);
        if (violation !== undefined) return violation;
      }
    }
    return undefined;
  }

  #happen(what: Happening): void {
    switch (what.kind) {
      case 'fault':
        this.#tell?.(this.#now, `! ${JSON.stringify(what.fault)}`);
        for (const monitor of this.#monitors) monitor.beforeFault(this.#now, what.fault);
        applyFault(this.#faultWorld, what.fault);
        for (const monitor of this.#monitors) monitor.afterFault(this.#now, what.fault);
        break;
      case 'message':
        if (what.to.linkUp && what.from.linkUp) this.#give(what.to, { kind: 'advertisement', heard: what.heard });
        break;
      case 'datagram':
        this.#datagram(what);
        break;
      case 'bfd-timer':
        this.#ringBfd(what.host, what.bfd);
        break;
      case 'release':
        break;
      case 'event':
        this.#give(what.to, what.event);
        break;
      case 'announcement':
        if (what.from.linkUp) this.#monitorOf(what.from).announced(what.from);
        break;
      case 'timer':
        this.#ring(what.node);
        break;
      case 'wake':
        this.#wake(what.host);
        break;
    }
  }

  #monitorOf(node: SimNode): Monitor {
    return this.#monitors[node.router]!;
  }

  // ------------------------------------------------------------ the process of a host

  #boot(host: SimHost): void {
    const { nodes } = host;
    const grouped = nodes.length > 1;
    for (const node of nodes) {
      node.machine = new this.#parts.VirtualRouterMachine(node.settings, grouped);
      node.timerAt = Infinity;
      node.advertisedAt = -Infinity;
      node.handedOver = false;
    }
    host.group = grouped
      ? new this.#parts.SyncGroup(
          'group',
          nodes.map(({ machine }) => machine!),
        )
      : undefined;
    host.stalled = false;
    host.stalledUntil = -Infinity;
    if (this.#schedule.network.bfdSessions && !nodes[0]!.plan.foreign) this.#bootBfd(host);
    for (const node of nodes) for (const event of node.firstFacts) this.#give(node, event);
  }

  #bootBfd(host: SimHost): void {
    const bfd = new HostBfd(
      this.#parts,
      {
        now: () => this.#now,
        carry: (source, destination, payload) => {
          const [from, to] = [this.#byAddress.get(source), this.#byAddress.get(destination)];
          if (from === undefined || to === undefined || !from.linkUp) return;
          this.#network.carry(from.index, to.index, this.#now, (at) =>
            this.#queue.push(at, rank.message, { kind: 'datagram', from, to, payload }),
          );
        },
        lost: (source) => {
          for (const node of host.nodes) this.#give(node, { kind: 'peer-lost', source });
        },
        moved: () => this.#setBfdTimer(host),
      },
      this.#schedule.seed + host.index + this.#now,
    );
    host.bfd = bfd;
    bfd.listen(host.nodes[0]!.settings.family);
  }

  #stop(host: SimHost): void {
    // A process that does not run is killed by whoever wants it to stop.
    if (!host.runs) {
      this.#kill(host);
      return;
    }
    this.#give(host.nodes[0]!, { kind: 'shutdown' }, host.nodes);
    host.bfd?.close();
    this.#die(host);
  }

  #kill(host: SimHost): void {
    // Nobody is left to take a lingering address away: its lease does.
    for (const node of host.nodes) node.lingersUntil = Infinity;
    this.#die(host);
  }

  #die(host: SimHost): void {
    for (const node of host.nodes) {
      if (node.machine !== undefined) this.#tellLost(node);
      this.#monitorOf(node).died(node);
      node.machine = undefined;
      node.waiting.length = 0;
    }
    host.group = undefined;
    host.bfd = undefined;
    host.stalled = false;
    host.stalledUntil = -Infinity;
  }

  #stall(host: SimHost, forMs: number): void {
    host.stalled = true;
    host.stalledUntil = Math.max(host.stalledUntil, this.#now + forMs);
    this.#queue.push(host.stalledUntil, rank.fault, { kind: 'wake', host });
  }

  /** The oracle of `bfdMs`. */
  #tellLost(lost: SimNode): void {
    const { bfdMs } = this.#network.plan;
    if (bfdMs === 0) return;
    const event = { kind: 'peer-lost', source: lost.source } as const;
    for (const { nodes } of this.#hosts) {
      const to = nodes[lost.router]!;
      if (to !== lost) this.#queue.push(this.#now + bfdMs, rank.message, { kind: 'event', to, event });
    }
  }

  /** `together`: the members of its group that are told at once. */
  #give(node: SimNode, event: VrrpEvent, together: readonly SimNode[] = [node]): void {
    const { machine, host } = node;
    if (machine === undefined) return;
    if (host.stalled) {
      for (const each of together) each.waiting.push(event);
      return;
    }
    if (event.kind === 'advertisement' && event.heard.priority > 0) node.heardSuccessor(this.#now);
    if (host.group === undefined) machine.handle(event, this.#now);
    else {
      const members = together.map(({ router }) => router);
      host.group.handleTogether(members, event, this.#now);
    }
    this.#carryOutAll(host);
    if (event.kind === 'advertisement' && event.heard.priority > 0) this.#follow(node, event.heard.source);
    for (const each of host.nodes) {
      const deadline = each.machine?.deadline() ?? Infinity;
      if (each === node && event.kind === 'timer' && deadline <= this.#now) this.#monitorOf(node).stuckTimer(node);
      else if (deadline < each.timerAt) this.#setTimer(each, deadline);
    }
  }

  #carryOutAll({ nodes, group }: SimHost): void {
    if (group === undefined) {
      const { machine } = nodes[0]!;
      for (let action = machine?.poll(); action !== undefined; action = machine?.poll())
        this.#carryOut(nodes[0]!, action);
      return;
    }
    for (let said = group.poll(); said !== undefined; said = group.poll())
      if (said.member >= 0) this.#carryOut(nodes[said.member]!, said.action);
  }

  #setTimer(node: SimNode, at: number): void {
    node.timerAt = at;
    this.#queue.push(at, rank.timer, { kind: 'timer', node });
  }

  #ring(node: SimNode): void {
    if (this.#now < node.timerAt) return;
    node.timerAt = Infinity;
    const deadline = node.machine?.deadline() ?? Infinity;
    if (deadline === Infinity || !node.runs) return;
    if (deadline > this.#now) this.#setTimer(node, deadline);
    else this.#give(node, { kind: 'timer' });
  }

  /** What waited in the sockets comes before the timers that are overdue. */
  #wake(host: SimHost): void {
    if (!host.stalled || this.#now < host.stalledUntil) return;
    host.stalled = false;
    this.#tell?.(this.#now, `node ${host.index} wakes up`);
    for (const node of host.nodes) this.#monitorOf(node).waking(node, this.#now);
    for (const node of host.nodes) for (const event of node.waiting.splice(0)) this.#give(node, event);
    if (host.bfd !== undefined) this.#wakeBfd(host, host.bfd);
    for (const node of host.nodes) this.#give(node, { kind: 'timer' });
    for (const node of host.nodes) {
      const deadline = node.machine?.deadline() ?? Infinity;
      if (deadline < Infinity) this.#setTimer(node, Math.max(deadline, this.#now));
      this.#monitorOf(node).awake(this.#now);
    }
  }

  // ------------------------------------------------------------ BFD

  /** As the daemon does when it has heard the router that it follows. */
  #follow(node: SimNode, source: string): void {
    const { bfd } = node.host;
    if (bfd === undefined || node.machine === undefined) return;
    const { state, heard, activeAdvertisementIntervalMs } = node.machine.status();
    if (state !== 'backup' || heard?.source !== source) return;
    bfd.follow(source, node.source, node.router + 1, activeAdvertisementIntervalMs);
    this.#setBfdTimer(node.host);
  }

  #datagram({ from, to, payload }: Extract<Happening, { readonly kind: 'datagram' }>): void {
    if (!from.linkUp || !to.linkUp || to.host.bfd === undefined) return;
    const { family } = to.settings;
    const addresses = { source: from.source, destination: to.source, ttl: 255 };
    const datagram = { interfaceIndex: to.router + 1, family, payload, waitedMs: 0, ...addresses };
    to.host.bfd.received(datagram, to.host.stalled);
  }

  #setBfdTimer({ bfd, stalled }: SimHost): void {
    if (bfd === undefined || stalled) return;
    const deadline = bfd.deadline();
    if (deadline >= bfd.timerAt) return;
    bfd.timerAt = Math.max(deadline, this.#now);
    const host = this.#hosts.find((each) => each.bfd === bfd)!;
    this.#queue.push(bfd.timerAt, rank.timer, { kind: 'bfd-timer', host, bfd });
  }

  #ringBfd(host: SimHost, bfd: HostBfd): void {
    // Another life's, one that was brought forward, or one that must wait for the process to be run.
    if (host.bfd !== bfd || this.#now < bfd.timerAt || host.stalled) return;
    const dueAt = bfd.timerAt;
    bfd.timerAt = Infinity;
    bfd.timer(dueAt);
    this.#setBfdTimer(host);
  }

  #wakeBfd(host: SimHost, bfd: HostBfd): void {
    const dueAt = Math.min(bfd.timerAt, bfd.deadline());
    bfd.timerAt = Infinity;
    bfd.receiveWaiting();
    if (dueAt <= this.#now) bfd.timer(dueAt);
    this.#setBfdTimer(host);
  }

  // ------------------------------------------------------------ what a machine asks for

  #carryOut(node: SimNode, action: VrrpAction): void {
    switch (action.kind) {
      case 'send-advertisement':
        this.#tell?.(this.#now, `node ${node.index} sends priority ${action.priority}`);
        this.#monitorOf(node).sending(node, action.priority, this.#now);
        if (action.priority > 0) node.advertisedAt = this.#now;
        if (action.priority > 0 && node.holds(this.#now)) node.renewLease(this.#now);
        this.#send(node, action.priority);
        break;
      case 'add-addresses':
        node.takeAddress(this.#now);
        break;
      case 'remove-addresses':
        this.#letGo(node, action.lingerMs ?? 0);
        break;
      case 'announce':
        this.#announce(node);
        break;
      case 'state-changed':
        this.#tell?.(this.#now, `node ${node.index} ${action.from} -> ${action.to}: ${action.reason}`);
        this.#monitorOf(node).changed(node, action, this.#now);
        break;
    }
  }

  #letGo(node: SimNode, lingerMs: number): void {
    node.letGo(lingerMs, this.#now);
    if (lingerMs > 0) this.#queue.push(this.#now + lingerMs, rank.timer, { kind: 'release', node });
  }

  #send(from: SimNode, priority: number): void {
    if (!from.linkUp) return;
    for (const { nodes } of this.#hosts) {
      const to = nodes[from.router]!;
      if (to === from) continue;
      const heard = this.#bytes ? heardThroughCodec(this.#parts, from, to, priority) : heardDirectly(from, priority);
      if (heard === undefined) continue;
      this.#network.carry(from.index, to.index, this.#now, (at) =>
        this.#queue.push(at, rank.message, { kind: 'message', to, from, heard }),
      );
    }
  }

  #announce(from: SimNode): void {
    if (!from.linkUp) return;
    const at = this.#network.arrival(from.index, this.#now);
    this.#queue.push(at, rank.message, { kind: 'announcement', from });
  }
}
