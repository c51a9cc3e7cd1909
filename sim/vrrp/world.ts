/**
 * Runs one schedule: nodes with the very machine that runs on the wire, a virtual network and clock, and the monitor that checks the
 * invariants after every step. The same schedule always gives the same run.
 */

import type { HeardAdvertisement, VrrpAction, VrrpEvent } from '../../src/core/vrrp/events.ts';
import { VirtualRouterMachine } from '../../src/core/vrrp/machine.ts';
import { encodeAdvertisement } from '../../src/core/vrrp/packet.ts';
import { receiveAdvertisement } from '../../src/core/vrrp/receive.ts';
import { Monitor, type Violation } from './monitor.ts';
import { Network } from './network.ts';
import { type MachineClass, SimNode } from './node.ts';
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
  | { readonly kind: 'wake'; readonly node: SimNode };

export interface WorldOptions {
  readonly machine?: MachineClass;
  /** Told what happens, for people. */
  readonly tell?: (at: number, text: string) => void;
}

/** The first violation, or undefined. */
export function runSchedule(schedule: Schedule, options: WorldOptions = {}): Violation | undefined {
  return new World(schedule, options).run();
}

class World {
  readonly #schedule: Schedule;
  readonly #machine: MachineClass;
  readonly #tell: ((at: number, text: string) => void) | undefined;
  readonly #nodes: readonly SimNode[];
  readonly #network: Network;
  readonly #queue = new EventQueue<Happening>();
  readonly #monitor: Monitor;
  /** One schedule in sixteen sends real bytes through the codec. */
  readonly #bytes: boolean;
  #now = 0;

  constructor(schedule: Schedule, options: WorldOptions) {
    this.#schedule = schedule;
    this.#machine = options.machine ?? VirtualRouterMachine;
    this.#tell = options.tell;
    this.#nodes = schedule.nodes.map((plan, index) => new SimNode(index, plan));
    this.#network = new Network(schedule.network, this.#nodes.length, schedule.seed);
    this.#monitor = new Monitor(this.#nodes, this.#network);
    this.#bytes = schedule.seed % 16 === 0;
  }

  run(): Violation | undefined {
    for (const fault of this.#schedule.faults) this.#queue.push(fault.at, rank.fault, { kind: 'fault', fault });
    for (const node of this.#nodes) this.#boot(node);
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      if (next.at > this.#schedule.durationMs) break;
      this.#now = next.at;
      this.#happen(next.what);
      const violation = this.#monitor.check(this.#now);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  #happen(what: Happening): void {
    switch (what.kind) {
      case 'fault':
        this.#tell?.(this.#now, `! ${JSON.stringify(what.fault)}`);
        this.#monitor.beforeFault(this.#now);
        this.#apply(what.fault);
        this.#monitor.afterFault(this.#now, what.fault);
        break;
      case 'message':
        if (what.to.linkUp && what.from.linkUp) this.#give(what.to, { kind: 'advertisement', heard: what.heard });
        break;
      case 'event':
        this.#give(what.to, what.event);
        break;
      case 'announcement':
        if (what.from.linkUp) this.#monitor.announced(what.from);
        break;
      case 'timer':
        this.#ring(what.node);
        break;
      case 'wake':
        this.#wake(what.node);
        break;
    }
  }

  // ------------------------------------------------------------ faults

  #apply(fault: Fault): void {
    if ('node' in fault) {
      const node = this.#nodes[fault.node];
      if (node !== undefined) this.#applyToNode(node, fault);
    } else if (fault.kind === 'cut') this.#network.cut(fault.from, fault.to);
    else if (fault.kind === 'mend') this.#network.mend();
    else this.#network.loss = fault.probability;
  }

  #applyToNode(node: SimNode, fault: Extract<Fault, { readonly node: number }>): void {
    switch (fault.kind) {
      case 'crash':
        node.heldUntil = -Infinity;
        this.#die(node);
        break;
      case 'kill':
        this.#die(node);
        break;
      case 'stop':
        this.#stop(node);
        break;
      case 'restart':
        this.#stop(node);
        this.#boot(node);
        break;
      case 'link':
        node.linkUp = fault.up;
        if (!fault.up) this.#loseBfd(node);
        this.#give(node, { kind: 'link', up: fault.up, address: fault.up ? node.source : undefined });
        break;
      case 'serving':
        node.serving = fault.serving;
        this.#give(node, { kind: 'serving', serving: fault.serving });
        break;
      case 'handover':
      case 'resume':
        if (node.machine === undefined) break;
        node.handedOver = fault.kind === 'handover';
        this.#give(node, { kind: fault.kind });
        break;
      case 'priority':
        node.priorityChange = fault.change;
        this.#give(node, node.trackingEvent);
        break;
      case 'script':
        node.scriptWell = fault.well;
        this.#give(node, node.trackingEvent);
        break;
      case 'reload':
        node.reload(fault.plan);
        this.#give(node, { kind: 'settings', settings: node.settings });
        this.#give(node, node.trackingEvent);
        break;
      case 'stall':
        node.stalled = true;
        node.stalledUntil = Math.max(node.stalledUntil, this.#now + fault.forMs);
        this.#queue.push(node.stalledUntil, rank.fault, { kind: 'wake', node });
        break;
      case 'peer-lost': {
        const peer = this.#nodes[fault.peer];
        if (peer !== undefined && peer !== node) this.#give(node, { kind: 'peer-lost', source: peer.source });
        break;
      }
      case 'address-lost':
        if (!node.holds(this.#now)) break;
        node.heldUntil = -Infinity;
        this.#give(node, { kind: 'address-lost', address: node.settings.addresses[0]!.address });
        break;
    }
  }

  #boot(node: SimNode): void {
    node.machine = new this.#machine(node.settings);
    node.stalled = false;
    node.stalledUntil = -Infinity;
    node.timerAt = Infinity;
    node.advertisedAt = -Infinity;
    node.handedOver = false;
    for (const event of node.firstFacts) this.#give(node, event);
  }

  #stop(node: SimNode): void {
    // A process that does not run is killed by whoever wants it to stop.
    if (node.runs) this.#give(node, { kind: 'shutdown' });
    this.#die(node);
  }

  #die(node: SimNode): void {
    if (node.machine !== undefined) this.#loseBfd(node);
    this.#monitor.died(node);
    node.machine = undefined;
    node.waiting.length = 0;
    node.stalled = false;
    node.stalledUntil = -Infinity;
  }

  #loseBfd(lost: SimNode): void {
    const { bfdMs } = this.#network.plan;
    if (bfdMs === 0) return;
    const event = { kind: 'peer-lost', source: lost.source } as const;
    for (const to of this.#nodes)
      if (to !== lost) this.#queue.push(this.#now + bfdMs, rank.message, { kind: 'event', to, event });
  }

  // ------------------------------------------------------------ the process of a node

  #give(node: SimNode, event: VrrpEvent): void {
    const { machine } = node;
    if (machine === undefined) return;
    if (!node.runs) {
      node.waiting.push(event);
      return;
    }
    machine.handle(event, this.#now);
    for (let action = machine.poll(); action !== undefined; action = machine.poll()) this.#carryOut(node, action);
    const deadline = machine.deadline() ?? Infinity;
    if (event.kind === 'timer' && deadline <= this.#now) this.#monitor.stuckTimer(node);
    else if (deadline < node.timerAt) this.#setTimer(node, deadline);
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
  #wake(node: SimNode): void {
    if (!node.stalled || this.#now < node.stalledUntil) return;
    node.stalled = false;
    this.#tell?.(this.#now, `node ${node.index} wakes up`);
    this.#monitor.waking(node, this.#now);
    const waiting = node.waiting.splice(0);
    for (const event of waiting) this.#give(node, event);
    this.#give(node, { kind: 'timer' });
    const deadline = node.machine?.deadline() ?? Infinity;
    if (deadline < Infinity) this.#setTimer(node, Math.max(deadline, this.#now));
    this.#monitor.awake(this.#now);
  }

  #carryOut(node: SimNode, action: VrrpAction): void {
    switch (action.kind) {
      case 'send-advertisement':
        this.#tell?.(this.#now, `node ${node.index} sends priority ${action.priority}`);
        this.#monitor.sending(node, action.priority, this.#now);
        if (action.priority > 0) node.advertisedAt = this.#now;
        if (action.priority > 0 && node.holds(this.#now)) node.renewLease(this.#now);
        this.#send(node, action.priority);
        break;
      case 'add-addresses':
        node.renewLease(this.#now);
        break;
      case 'remove-addresses':
        node.heldUntil = -Infinity;
        break;
      case 'announce':
        this.#announce(node);
        break;
      case 'state-changed':
        this.#tell?.(this.#now, `node ${node.index} ${action.from} -> ${action.to}: ${action.reason}`);
        this.#monitor.changed(node, action, this.#now);
        break;
    }
  }

  #send(from: SimNode, priority: number): void {
    if (!from.linkUp) return;
    for (const to of this.#nodes) {
      if (to === from) continue;
      const heard = this.#bytes ? this.#throughCodec(from, to, priority) : heardFrom(from, priority);
      if (heard === undefined) continue;
      this.#network.carry(from.index, to.index, this.#now, (at) =>
        this.#queue.push(at, rank.message, { kind: 'message', to, from, heard }),
      );
    }
  }

  #throughCodec(from: SimNode, to: SimNode, priority: number): HeardAdvertisement | undefined {
    const envelope = { source: from.source, destination: '224.0.0.18' };
    const payload = encodeAdvertisement(from.settings, priority, envelope);
    const context = { ownAddress: to.source, followed: undefined, sequence: 0 };
    const received = receiveAdvertisement({ ...envelope, ttl: 255, payload }, to.settings, context);
    return received.kind === 'accepted' ? received.heard : undefined;
  }

  #announce(from: SimNode): void {
    if (!from.linkUp) return;
    const at = this.#network.arrival(from.index, this.#now);
    this.#queue.push(at, rank.message, { kind: 'announcement', from });
  }
}

function heardFrom(from: SimNode, priority: number): HeardAdvertisement {
  return { source: from.source, priority, advertisementIntervalMs: from.settings.advertisementIntervalMs };
}
