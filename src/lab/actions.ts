/**
 * What each verb of a drill does to a cluster, and how everything is put right again. A fault is done to processes, cables and packets only,
 * from outside: the engine is not asked to take part.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster } from './cluster.ts';
import type { Step } from './drill-file.ts';
import { Intruder } from './intruder.ts';
import { Prober } from './prober/prober.ts';

export class Actions {
  readonly #cluster: Cluster;
  readonly #intruder: Intruder;
  /** How to undo what is still in force, by what was done. */
  readonly #repairs = new Map<string, () => Promise<void>>();

  /** Nodes that were told to stop, which takes its time. */
  readonly #stopped = new Set<string>();

  constructor(cluster: Cluster, virtualRouterId: number) {
    this.#cluster = cluster;
    this.#intruder = new Intruder(cluster, virtualRouterId);
  }

  /** Resolves when it is done (not when it has had its effect). */
  async perform(step: Step, targets: readonly string[]): Promise<void> {
    if (step.verb === 'overload') await this.#overload(step.ms);
    else if (step.verb === 'intruder') await (step.what === 'starts' ? this.#intruder.start() : this.#intruder.end());
    else await Promise.all(targets.map((target) => this.#on(target, step)));
  }

  /** Puts everything right that faults have left. */
  async repair(): Promise<void> {
    const cluster = this.#cluster;
    for (const [, repair] of [...this.#repairs]) await repair();
    this.#repairs.clear();
    await this.#intruder.end();
    for (const name of cluster.nodes) await this.#startNode(name);
    for (const { name } of [...cluster.topology.servers, ...cluster.topology.nodes]) {
      cluster.signalServices(name, 'SIGCONT');
      await cluster.startServices(name);
      await cluster.behave(name, 'ok');
    }
  }

  async #on(name: string, step: Step): Promise<void> {
    const cluster = this.#cluster;
    const host = cluster.host(name);
    switch (step.verb) {
      case 'kill':
        this.#kill(name, step.what);
        return;
      case 'freeze':
        this.#signal(name, step.what, 'SIGSTOP');
        this.#repairs.set(`freeze ${name} ${step.what}`, async () => this.#signal(name, step.what, 'SIGCONT'));
        return;
      case 'thaw':
        this.#signal(name, step.what, 'SIGCONT');
        return;
      case 'stall':
        this.#signal(name, step.what, 'SIGSTOP');
        await new Promise((resolve) => setTimeout(resolve, step.ms));
        this.#signal(name, step.what, 'SIGCONT');
        return;
      case 'start':
        if (step.what === 'node') await this.#startNode(name);
        else await cluster.startServices(name);
        return;
      case 'stop':
        this.#stopped.add(name);
        cluster.engine.stop(host);
        return;
      case 'unplug':
        await host.cable(false);
        this.#repairs.set(`unplug ${name}`, async () => {
          if (host.powered) await host.cable(true);
        });
        return;
      case 'plug':
        await host.cable(true);
        return;
      case 'power':
        if (step.what === 'on') await this.#startNode(name);
        else {
          await host.powerOff();
          cluster.forgetState(name);
        }
        return;
      case 'reload':
        if (step.what === 'bad') await this.#spoil(name);
        cluster.engine.reload(host);
        return;
      case 'answer':
        await cluster.behave(name, step.what);
        return;
      case 'firewall':
        await this.#firewall(name, step.what);
        return;
      case 'delete':
        await this.#deleteAddress(name);
        return;
      case 'descriptors':
        await this.#descriptors(name, step.what === 'exhausted');
        return;
      default:
        throw new Error(`${step.verb} is no action`);
    }
  }

  #kill(name: string, what: string): void {
    const { engine } = this.#cluster;
    const host = this.#cluster.host(name);
    if (what === 'server' || what === 'log') this.#cluster.signalServices(name, 'SIGKILL');
    else {
      host.signal(engine.commandLines[what === 'both' ? 'all' : what === 'vrrp' ? 'vrrp' : 'balancer'], 'SIGKILL');
      if (what !== 'balancer') this.#cluster.forgetState(name);
    }
  }

  #signal(name: string, what: string, signal: NodeJS.Signals): void {
    const { engine } = this.#cluster;
    const host = this.#cluster.host(name);
    if (what === 'server') this.#cluster.signalServices(name, signal);
    else if (what === 'node') host.signal(engine.commandLines.all, signal);
    else host.signal(engine.commandLines[what === 'vrrp' ? 'vrrp' : 'balancer'], signal);
  }

  /** A machine that boots, or one whose programs somebody starts again. */
  async #startNode(name: string): Promise<void> {
    const cluster = this.#cluster;
    const host = cluster.host(name);
    if (!host.powered) {
      await host.powerOn();
      await cluster.prepareNode(name);
    }
    const { all } = cluster.engine.commandLines;
    host.signal(all, 'SIGCONT');
    if (this.#stopped.delete(name)) await cluster.until(`${name} has stopped`, () => host.processes(all).length === 0);
    cluster.startNode(name);
  }

  /** Lays a file with a word that nobody knows over the node's configuration; the one below is untouched. */
  async #spoil(name: string): Promise<void> {
    const host = this.#cluster.host(name);
    const [file = ''] = this.#cluster.haproxyFiles;
    await host.runToEnd(
      'sh',
      '-ec',
      `{ cat "$0"; printf '\\n%s\\n' "$1"; } > /run/bad.cfg; mount --bind /run/bad.cfg "$0"`,
      file,
      badLine,
    );
    this.#repairs.set(`bad file ${name}`, async () => {
      if (host.powered) await host.runToEnd('umount', file);
      this.#cluster.engine.reload(host);
    });
  }

  /** VRRP is protocol 112, and its authentication header 51. */
  async #firewall(name: string, what: string): Promise<void> {
    const host = this.#cluster.host(name);
    const off = 'nft delete table inet drill 2>/dev/null || true';
    const rules: string[] = [];
    const drop = 'meta l4proto { 51, 112 } drop';
    if (what === 'eats advertisements' || what === 'eats received advertisements')
      rules.push(
        'nft "add chain inet drill in { type filter hook input priority -300; }"',
        `nft add rule inet drill in "${drop}"`,
      );
    if (what === 'eats advertisements' || what === 'eats sent advertisements')
      rules.push(
        'nft "add chain inet drill out { type filter hook output priority -300; }"',
        `nft add rule inet drill out "${drop}"`,
      );
    const script = what === 'off' ? off : [off, 'nft add table inet drill', ...rules].join('\n');
    await host.runToEnd('sh', '-ec', script);
    this.#repairs.set(`firewall ${name}`, async () => {
      if (host.powered) await host.runToEnd('sh', '-ec', off);
    });
  }

  async #deleteAddress(name: string): Promise<void> {
    const script = `ip -o addr show to "$0" | while read -r _ dev _ address _; do ip addr del "$address" dev "$dev"; done`;
    await this.#cluster.host(name).runToEnd('sh', '-ec', script, this.#cluster.topology.virtualAddress);
  }

  /**
   * Leaves the balancer the descriptors that it has, and not one more. The limit is on numbers, not on how many there are
   * (getrlimit(2)): below the lowest free one nothing new can be opened until something there is closed.
   */
  async #descriptors(name: string, exhausted: boolean): Promise<void> {
    const host = this.#cluster.host(name);
    const { commandLines } = this.#cluster.engine;
    for (const pid of host.processes(commandLines.balancer)) {
      const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
      let lowestFree = 0;
      while (open.has(lowestFree)) lowestFree++;
      const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? '524288';
      const limit = `--nofile=${exhausted ? lowestFree : hard}:${hard}`;
      await once(spawn('prlimit', ['--pid', String(pid), limit], { stdio: 'ignore' }), 'exit');
    }
    if (exhausted) this.#repairs.set(`descriptors ${name}`, () => this.#descriptors(name, false));
  }

  /** Far more requests than the machine can answer, beside the steady ones. */
  async #overload(ms: number): Promise<void> {
    const { topology, client } = this.#cluster;
    const flood = new Prober(client, {
      host: topology.virtualAddress,
      port: topology.port,
      newPerSecond: overloadPerSecond,
      kept: 0,
    });
    await new Promise((resolve) => setTimeout(resolve, ms));
    await flood.stop();
  }
}

/** What makes a good haproxy.cfg a bad one. */
export const badLine = '  this is no keyword';

/** New connections a second: several times what one core of a small machine opens and answers. */
const overloadPerSecond = 4000;
