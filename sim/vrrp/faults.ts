/** What each fault does to the simulated world. */

import type { VrrpEvent } from '../../src/core/vrrp/events.ts';
import { forgedMessage } from './messages.ts';
import type { Network } from './network.ts';
import type { SimHost, SimNode } from './node.ts';
import type { Parts } from './parts.ts';
import type { Fault } from './schedule.ts';

export interface FaultWorld {
  readonly hosts: readonly SimHost[];
  readonly network: Network;
  readonly receiveAdvertisement: Parts['receiveAdvertisement'];
  now(): number;
  /** To the process, as soon as it is run. */
  give(node: SimNode, event: VrrpEvent): void;
  /** To all members of its sync group at once. */
  giveAll(host: SimHost, event: VrrpEvent): void;
  boot(host: SimHost): void;
  /** In an orderly way. */
  stop(host: SimHost): void;
  /** The process is gone; its kernel goes on. */
  kill(host: SimHost): void;
  /** Process and kernel. */
  die(host: SimHost): void;
  stall(host: SimHost, forMs: number): void;
  /** Others will notice that nothing comes from this router. */
  tellLost(node: SimNode): void;
}

export function applyFault(world: FaultWorld, fault: Fault): void {
  switch (fault.kind) {
    case 'cut':
      world.network.cut(fault.from, fault.to);
      break;
    case 'mend':
      world.network.mend();
      break;
    case 'loss':
      world.network.loss = fault.probability;
      break;
    case 'pause':
      for (const host of world.hosts) world.stall(host, fault.forMs);
      break;
    default: {
      const host = world.hosts[fault.node];
      if (host !== undefined) applyToHost(world, host, fault);
    }
  }
}

function applyToHost(world: FaultWorld, host: SimHost, fault: Extract<Fault, { readonly node: number }>): void {
  switch (fault.kind) {
    case 'crash':
      for (const node of host.nodes) node.heldUntil = -Infinity;
      world.die(host);
      break;
    case 'kill':
      world.kill(host);
      break;
    case 'stop':
      world.stop(host);
      break;
    case 'restart':
      world.stop(host);
      world.boot(host);
      break;
    case 'stall':
      world.stall(host, fault.forMs);
      break;
    case 'link':
      setLinks(world, host, fault.up, fault.router);
      break;
    case 'handover':
    case 'resume':
      if (!host.alive) break;
      for (const node of host.nodes) node.handedOver = fault.kind === 'handover';
      world.giveAll(host, { kind: fault.kind });
      break;
    default:
      for (const node of host.nodes) applyToNode(world, node, fault);
  }
}

function applyToNode(
  world: FaultWorld,
  node: SimNode,
  fault: Exclude<
    Extract<Fault, { readonly node: number }>,
    { readonly kind: 'crash' | 'kill' | 'stop' | 'restart' | 'stall' | 'link' | 'handover' | 'resume' }
  >,
): void {
  switch (fault.kind) {
    case 'serving':
      node.serving = fault.serving;
      world.give(node, { kind: 'serving', serving: fault.serving });
      break;
    case 'priority':
      node.priorityChange = fault.change;
      world.give(node, node.trackingEvent);
      break;
    case 'script':
      if ((fault.router ?? node.router) !== node.router) break;
      node.scriptWell = fault.well;
      world.give(node, node.trackingEvent);
      break;
    case 'reload':
      node.reload(fault.plan);
      world.give(node, { kind: 'settings', settings: node.settings });
      world.give(node, node.trackingEvent);
      break;
    case 'peer-lost': {
      const peer = world.hosts[fault.peer]?.nodes[node.router];
      if (peer !== undefined && peer !== node) world.give(node, { kind: 'peer-lost', source: peer.source });
      break;
    }
    case 'forged':
      receiveForged(world, node, fault);
      break;
    case 'address-lost':
      if (!node.active || !node.holds(world.now())) break;
      node.heldUntil = -Infinity;
      world.give(node, { kind: 'address-lost', address: node.settings.addresses[0]!.address });
      break;
  }
}

function setLinks(world: FaultWorld, host: SimHost, up: boolean, router: number | undefined): void {
  const meant = host.nodes.filter((node) => (router ?? node.router) === node.router);
  for (const node of meant) node.linkUp = up;
  for (const node of meant) {
    if (!up) world.tellLost(node);
    world.give(node, { kind: 'link', up, address: up ? node.source : undefined });
  }
}

function receiveForged(world: FaultWorld, node: SimNode, fault: Extract<Fault, { readonly kind: 'forged' }>): void {
  const received = world.receiveAdvertisement(forgedMessage(node.settings, fault), node.settings, {
    ownAddress: node.source,
    followed: undefined,
    sequence: 0,
  });
  if (node.linkUp && received.kind === 'accepted') world.give(node, { kind: 'advertisement', heard: received.heard });
}
