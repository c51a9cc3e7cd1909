/**
 * `evergate run`: one node of the cluster. A small launcher starts the two halves as processes of their own, carries the balancer's
 * readiness to the VRRP daemon, starts again what died, and stops them in the order that costs clients nothing:
 * first the address moves, then the balancer ends, and with it what kept the address for connections that were open.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { yieldProcessors } from '../adapters/process-exit.ts';
import { closeDescriptors, inheritedSockets, passOn } from '../adapters/systemd.ts';
import { launcher as limits } from '../core/limits.ts';
import { linesOf } from './control-channel.ts';
import { Service } from './service.ts';

export interface RunOptions {
  readonly haproxy: readonly string[];
  readonly keepalived: string;
  readonly pidfile?: string;
  readonly io: string;
  /** The node's name for `evergate status`: a path, or @name. */
  readonly socket?: string;
}

/** Runs until the node is stopped; the process ends with status 0 after an orderly stop, 1 when a half could not start. */
export async function run(options: RunOptions): Promise<void> {
  process.title = 'evergate-run';
  if (options.pidfile !== undefined) writeFileSync(options.pidfile, `${process.pid}\n`);
  const node = new Node(options);
  process.on('SIGTERM', () => node.stop('now'));
  process.on('SIGINT', () => node.stop('now'));
  process.on('SIGUSR1', () => node.stop('after the last exchange'));
  process.on('SIGHUP', () => node.reload());
  process.on('SIGUSR2', () => node.reload());
  process.exitCode = await node.ended;
  if (options.pidfile !== undefined) rmSync(options.pidfile, { force: true });
  yieldProcessors();
}

/** The two halves together. */
class Node {
  get ended(): Promise<number> {
    return this.#end.promise;
  }

  readonly #end = Promise.withResolvers<number>();
  readonly #balancer: Half;
  readonly #vrrp: Half;
  readonly #service = new Service();
  /** Halves that have not said yet that they read their files again. */
  readonly #reloading = new Set<Half>();
  /** Listening sockets of the life before, for the balancer. */
  readonly #inherited = inheritedSockets();
  readonly #addressMoved = Promise.withResolvers<void>();
  #settled = false;
  #stopping = false;

  constructor(options: RunOptions) {
    const files = options.haproxy.flatMap((file) => ['-f', file]);
    const named = options.socket === undefined ? [] : ['--socket', options.socket];
    const ended = (half: Half, why: string, status: number) => {
      this.#reloaded(half);
      if (half === this.#balancer) this.#vrrp.tell(`not-serving the balancer ended (${why})`);
      if (!this.#stopping && !half.hasStarted) {
        // It never came up: wrong configuration or address in use, and it has said so. Trying again would only repeat it.
        this.#stopping = true;
        void this.#stopAll('now').then(() => this.#end.resolve(status === 0 ? 1 : status));
      }
    };
    // The VRRP daemon first: it holds back until the balancer serves, and its raw sockets are up by then.
    this.#vrrp = new Half(
      'vrrp',
      ['-f', options.keepalived, '--dont-fork', ...named],
      (line) => {
        if (line === 'started') this.#readyWhenBoth();
        if (line === 'reloaded') this.#reloaded(this.#vrrp);
        if (line === 'moved') this.#addressMoved.resolve();
      },
      ended,
      () => {},
    );
    this.#balancer = new Half(
      'balance',
      [...files, '--foreground', '--io', options.io, ...named],
      (line) => this.#balancerSaid(line),
      ended,
      () => this.#vrrp.tell('not-serving the balancer ended'),
    );
    this.#vrrp.start();
    this.#balancer.start(this.#inherited);
    // From here on they are the balancer's: one that stays open here would go on taking connections that nobody answers.
    closeDescriptors(this.#inherited.values());
  }

  #balancerSaid(line: string): void {
    if (line === 'settled') {
      this.#settled = true;
      this.#readyWhenBoth();
    } else if (line === 'reloaded') this.#reloaded(this.#balancer);
    else if (line === 'started') this.#vrrp.tell(`balancer ${this.#balancer.pid}`);
    else {
      this.#vrrp.tell(line);
      this.#service.heard(line);
    }
  }

  #readyWhenBoth(): void {
    if (this.#settled && this.#vrrp.hasStarted && this.#reloading.size === 0) this.#service.ready();
  }

  #reloaded(half: Half): void {
    if (this.#reloading.delete(half)) this.#readyWhenBoth();
  }

  reload(): void {
    this.#service.reloading();
    for (const half of [this.#balancer, this.#vrrp]) if (half.running) this.#reloading.add(half);
    this.#readyWhenBoth();
    this.#balancer.signal('SIGHUP');
    this.#vrrp.signal('SIGHUP');
  }

  stop(when: StopTime): void {
    if (this.#stopping && when !== 'now') return;
    this.#stopping = true;
    this.#service.stopping();
    void this.#stopAll(when).then(() => this.#end.resolve(0));
  }

  async #stopAll(when: StopTime): Promise<void> {
    // Kept connections are closed after their next response while new ones are still taken; then the address moves; then we end.
    this.#balancer.tell('drain');
    this.#vrrp.stop('SIGTERM');
    await Promise.race([this.#addressMoved.promise, this.#vrrp.gone()]);
    // Where the next node is slow to announce itself, clients still begin here: the address is kept, and so are they.
    await Promise.race([delay(limits.stragglersMs, undefined, { ref: false }), this.#vrrp.gone()]);
    // One that is still starting does not know USR1 yet: Node would open its debugger.
    this.#balancer.stop(this.#balancer.hasStarted ? 'SIGUSR1' : 'SIGTERM');
    if (when === 'now') {
      const timer = setTimeout(() => this.#balancer.stop('SIGTERM'), limits.drainMsMax);
      await this.#balancer.gone();
      clearTimeout(timer);
    } else await this.#balancer.gone();
    // Until here it kept the address for what was open, and the next node passed that on.
    this.#vrrp.tell('finish');
    await this.#vrrp.gone();
  }
}

type StopTime = 'now' | 'after the last exchange';

/** One half: a process, its control channel, and how it is started again. */
class Half {
  hasStarted = false;
  readonly #command: 'balance' | 'vrrp';
  readonly #argv: readonly string[];
  readonly #told: (line: string) => void;
  readonly #ended: (half: Half, why: string, status: number) => void;
  readonly #silent: (half: Half) => void;
  #child: ChildProcess | undefined;
  #stopping = false;
  #startedAt = 0;
  #delayMs = 0;
  #restart: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];
  /** What the other side was told last of each kind: a half that is started again must know it too. */
  readonly #lastTold = new Map<'process' | 'readiness', string>();

  constructor(
    command: 'balance' | 'vrrp',
    argv: readonly string[],
    told: (line: string) => void,
    ended: (half: Half, why: string, status: number) => void,
    silent: (half: Half) => void,
  ) {
    this.#command = command;
    this.#argv = argv;
    this.#told = told;
    this.#ended = ended;
    this.#silent = silent;
  }

  get alive(): boolean {
    return this.#child !== undefined || this.#restart !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** @param sockets listening sockets that it finds with `inheritedSockets`. */
  start(sockets: ReadonlyMap<string, number> = new Map()): void {
    this.#restart = undefined;
    this.#startedAt = performance.now();
    const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
    const child = spawn(
      process.execPath,
      [...process.execArgv, ...heap[this.#command], join(main), this.#command, ...this.#argv, '--control-fd', '3'],
      // One channel both ways. When the launcher dies, the half sees its end and stops in an orderly way: no orphans.
      {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...sockets.values()],
        env: { ...process.env, ...passOn(sockets, 4), EVERGATE_INVOKED_AS: 'evergate' },
      },
    );
    this.#child = child;
    const channel = child.stdio[3] as import('node:net').Socket;
    // A process that dies closes its descriptors some milliseconds before it is reported.
    channel.on('error', () => this.#silent(this));
    channel.on('end', () => this.#silent(this));
    linesOf(channel, (line) => {
      this.hasStarted = true;
      this.#told(line);
    });
    for (const line of this.#lastTold.values()) channel.write(`${line}\n`);
    child.on('error', () => this.#exited(127, null));
    child.on('exit', (code, signal) => this.#exited(code, signal));
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child === undefined) return;
    this.#child = undefined;
    const why = signal ?? `status ${code}`;
    if (!this.#stopping && this.hasStarted) {
      const lived = performance.now() - this.#startedAt;
      this.#delayMs =
        lived > limits.restartForgivenMs ? 0 : Math.min(limits.restartMsMax, this.#delayMs * 2 + limits.restartMsStep);
      process.stderr.write(
        `[ALERT] evergate: ${this.#command} ended (${why}); starting it again in ${this.#delayMs} ms\n`,
      );
      this.#restart = setTimeout(() => this.start(), this.#delayMs);
    }
    this.#ended(this, why, code ?? 1);
    if (!this.alive) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Sends a line down the control channel. */
  tell(line: string): void {
    if (line !== 'beat' && line !== 'drain' && line !== 'finish')
      this.#lastTold.set(line.startsWith('balancer ') ? 'process' : 'readiness', line);
    const channel = this.#child?.stdio[3] as import('node:net').Socket | undefined;
    if (channel?.writable === true) channel.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Sends the signal and does not start the half again. */
  stop(signal: NodeJS.Signals): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#restart = undefined;
    this.signal(signal);
    if (!this.alive) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async gone(): Promise<void> {
    if (!this.alive) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** The VRRP daemon keeps a tiny heap: short collections, little memory to lock. */
const heap = { balance: [], vrrp: ['--max-old-space-size=32', '--max-semi-space-size=1'] } as const;
