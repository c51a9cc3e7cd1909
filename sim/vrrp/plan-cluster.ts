/**
 * Whole configuration files in virtual time: each node runs the real failover engine (scripts with interval, rise and fall, tracked
 * processes and links, sync groups, the packet codec) on a virtual host and network. Where the schedules of world.ts look for any
 * wrong state of one virtual router, this shows what given files do in a given failure: `explain` is tested against it.
 *
 * Two worlds: Evergate's, where the balancer's readiness is told, and Keepalived's, where only what is tracked is noticed, priority 0 is
 * followed by the skew, nobody says a last word, and other address lists are refused (2.2.7).
 */

import { Failover } from '../../src/engine/failover/failover.ts';
import type { Random } from '../../src/engine/ports/time.ts';
import type { VirtualRouterPlan, VrrpPlan } from '../../src/plan/vrrp.ts';
import { VirtualTime } from '../clock.ts';
import { type Frame, PlanHost } from './plan-host.ts';

export interface PlanNode {
  readonly name: string;
  readonly plan: VrrpPlan;
  /** The addresses it sends from, by interface. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

export type PlanWorldName = 'evergate' | 'keepalived';

/** Frames take this long, in milliseconds. */
export const frameMs = 0.1;

export class PlanCluster {
  readonly time = new VirtualTime();
  readonly hosts: readonly PlanHost[];
  /** Where the network sends packets for an address: the host that announced it last. */
  readonly announced = new Map<string, string>();
  /** Each change of who is active, oldest first. */
  readonly changes: { readonly at: number; readonly router: string; readonly active: readonly string[] }[] = [];
  readonly #world: PlanWorldName;
  readonly #cut = new Set<string>();
  /** Hosts whose firewall eats advertisements on their way in, and out; nothing else. */
  readonly #deaf = new Set<string>();
  readonly #mute = new Set<string>();

  /** @param chance for the sessions in which Evergate's nodes watch each other; absent: only advertisements count. */
  constructor(nodes: readonly PlanNode[], world: PlanWorldName, chance?: Random) {
    this.#world = world;
    this.hosts = nodes.map(
      (node) =>
        new PlanHost(
          { ...node, plan: inWorld(node.plan, world) },
          this.time,
          (from, frame) => this.#carry(from, frame),
          world === 'evergate' ? chance : undefined,
        ),
    );
    for (const host of this.hosts) this.start(host.name);
  }

  host(name: string): PlanHost {
    const host = this.hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  /** Names of the hosts on which this router is active. */
  active(router: string): readonly string[] {
    return this.hosts.filter((host) => host.stateOf(router) === 'active').map(({ name }) => name);
  }

  /** Lets time pass, noting who is active after every event. */
  run(ms: number): void {
    const until = this.time.now() + ms;
    // A mark at the end, so that time stops there.
    let over = false;
    this.time.at(until, () => {
      over = true;
    });
    while (!over && this.time.step()) this.#note();
  }

  // ------------------------------------------------------------ failures and their ends

  start(name: string): void {
    const host = this.host(name);
    const awaitsBalancer = this.#world === 'evergate';
    host.start((ports, plan) => new Failover(plan, ports, { awaitsBalancer, sinceBootMs: 1e9 }));
    this.#tellServing(host);
  }

  /** The VRRP daemon is killed: the kernel goes on with the addresses. */
  kill(name: string): void {
    this.host(name).kill();
    this.#note();
  }

  /** The whole host: its addresses are gone too. */
  lose(name: string): void {
    this.host(name).kill();
    this.host(name).held.clear();
    this.#note();
  }

  stop(name: string): void {
    this.host(name).stop();
    this.#note();
  }

  setLink(name: string, link: string, running: boolean): void {
    this.host(name).setLink(link, running);
    this.#note();
  }

  setScript(name: string, script: string, result: 'asks' | 'fails' | 'hangs'): void {
    this.host(name).scripts.set(script, result);
  }

  setBalancer(name: string, state: 'serves' | 'frozen' | 'dead'): void {
    const host = this.host(name);
    host.setBalancer(state);
    this.#tellServing(host);
    this.#note();
  }

  /** No frame passes between these two, either way. */
  cut(a: string, b: string): void {
    this.#cut.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  mend(): void {
    this.#cut.clear();
  }

  /** What a host's firewall does with advertisements. */
  firewall(name: string, eats: { readonly received: boolean; readonly sent: boolean }): void {
    for (const [set, on] of [
      [this.#deaf, eats.received],
      [this.#mute, eats.sent],
    ] as const)
      if (on) set.add(name);
      else set.delete(name);
  }

  #tellServing(host: PlanHost): void {
    if (this.#world === 'evergate') host.failover?.serving(host.balancer === 'serves');
  }

  #carry(from: PlanHost, frame: Frame): void {
    if (frame.kind === 'announcement') this.announced.set(frame.address, from.name);
    else
      for (const to of this.hosts) {
        const eaten = frame.kind === 'vrrp' && (this.#mute.has(from.name) || this.#deaf.has(to.name));
        if (to !== from && !eaten && !this.#cut.has(`${from.name} ${to.name}`))
          this.time.after(frameMs, () => to.receive(frame));
      }
  }

  #note(): void {
    const routers = new Set(this.hosts.flatMap(({ routers: names }) => names));
    for (const router of routers) {
      const active = this.active(router);
      const last = this.changes.findLast((change) => change.router === router)?.active ?? [];
      if (active.join() !== last.join()) this.changes.push({ at: this.time.now(), router, active });
    }
  }
}

function inWorld(plan: VrrpPlan, world: PlanWorldName): VrrpPlan {
  return { ...plan, routers: plan.routers.map((router) => (world === 'evergate' ? router : asKeepalived(router))) };
}

function asKeepalived(router: VirtualRouterPlan): VirtualRouterPlan {
  const { settings } = router;
  return {
    ...router,
    settings: {
      ...settings,
      resignIsImmediate: false,
      splitIsAnnounced: false,
      addressListMismatchAccepted: false,
      otherChecksumRefused: true,
      addressesAreLeased: false,
    },
  };
}
