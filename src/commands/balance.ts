/** `evergate balance`: the balancer alone, HAProxy's half; also what a link named `haproxy` runs. */
import { rmSync, writeFileSync } from 'node:fs';
import { raiseCapabilities } from '../adapters/capabilities.ts';
import { BindError } from '../adapters/listener.ts';
import { exitAtOnce } from '../adapters/process-exit.ts';
import { inheritedSockets, serviceManager, stderrIsJournal } from '../adapters/systemd.ts';
import { type TakenListeners, takeOver } from '../adapters/take-over.ts';
import { severities } from '../core/log/syslog.ts';
import type { BalancerPlan } from '../plan/balancer.ts';
import { openBalancerControl } from './balance/control.ts';
import { withinDescriptors } from './balance/descriptors.ts';
import { Listeners } from './balance/listeners.ts';
import { loadBalancerPlan } from './balance/load.ts';
import { dropPrivileges } from './balance/privileges.ts';
import { Supervisor } from './balance/supervisor.ts';
import { controlChannel } from './control-channel.ts';
import { daemonize, daemonReady } from './daemonize.ts';
import { chooseIo } from './io.ts';
import { Service } from './service.ts';

export interface BalanceOptions {
  readonly file: readonly string[];
  readonly check?: boolean;
  readonly directory?: string;
  readonly daemon?: boolean;
  readonly foreground?: boolean;
  readonly pidfile?: string;
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly quiet?: boolean;
  readonly masterWorker?: boolean;
  readonly systemd?: boolean;
  readonly maxconn?: string;
  readonly finish?: readonly string[];
  readonly terminate?: readonly string[];
  readonly io: string;
  readonly controlFd?: string;
  /** The node's name for `evergate status`: a path, or @name. */
  readonly socket?: string;
}

type Tell = (severity: 'alert' | 'warning' | 'notice', text: string) => void;

/** Runs until stopped. Ends the process with status 1 when the configuration or an address is refused. */
export async function balance(options: BalanceOptions): Promise<void> {
  if (options.directory !== undefined) process.chdir(options.directory);
  raiseCapabilities();
  const manner = { quiet: options.quiet === true };
  const tell = teller(manner);
  const loaded = await loadBalancerPlan(options.file, limitOf(options));
  process.stderr.write(loaded.report);
  if (loaded.plan === undefined) {
    // Clients are better refused than left waiting at sockets that nobody will answer.
    new Listeners(serviceManager(), inheritedSockets()).forgetInherited();
    process.exit(1);
  }
  manner.quiet ||= loaded.plan.global.quiet;
  if (options.check === true) {
    if (options.quiet !== true) process.stdout.write('Configuration file is valid\n');
    process.exit(0);
  }
  const plan = withinDescriptors(loaded.plan, (text) => tell('warning', text));
  const stays = options.foreground === true || options.debug === true || options.controlFd !== undefined;
  if ((options.daemon === true || plan.global.daemon) && !stays) await daemonize();
  process.title = 'evergate-balance';
  await new Balance(options, tell).run(plan);
}

function limitOf(options: BalanceOptions): { readonly maxconn?: number } {
  if (options.maxconn === undefined) return {};
  const maxconn = Number(options.maxconn);
  if (Number.isInteger(maxconn) && maxconn > 0) return { maxconn };
  process.stderr.write(`evergate: -n takes a whole number above 0, not "${options.maxconn}"\n`);
  process.exit(1);
}

/** HAProxy's form of messages on standard error; for the journal their priority, which then sets the rest itself. */
function teller(manner: { readonly quiet: boolean }): Tell {
  const journal = stderrIsJournal();
  return (severity, text) => {
    if (manner.quiet && severity !== 'alert') return;
    if (journal) {
      process.stderr.write(`<${severities[severity]}>${text.replaceAll('\n', `\n<${severities[severity]}>`)}\n`);
      return;
    }
    const label = `[${severity.toUpperCase()}]`.padEnd(10);
    process.stderr.write(`${label} (${process.pid}) : ${text}\n`);
  };
}

class Balance {
  readonly #options: BalanceOptions;
  readonly #tell: Tell;
  readonly #supervisor: Supervisor;
  readonly #say: (line: string) => void;
  /** Undefined below the launcher of `evergate run`: it speaks for both halves. */
  readonly #service: Service | undefined;
  #reloading = false;
  #reloadAgain = false;
  #pidfile: string | undefined;

  constructor(options: BalanceOptions, tell: Tell) {
    this.#options = options;
    this.#tell = tell;
    const channel =
      options.controlFd === undefined
        ? undefined
        : controlChannel(
            options.controlFd,
            (line) => this.#told(line),
            () => void this.#softStop(),
          );
    this.#say = (line) => channel?.say(line);
    const service = new Service();
    this.#service = channel === undefined ? service : undefined;
    const io = chooseIo(options.io, (text) => tell('notice', text));
    this.#supervisor = new Supervisor({
      io,
      tell,
      readiness: (line) => {
        this.#say(line);
        if (line === 'settled') this.#service?.ready();
        else this.#service?.heard(line);
      },
      store: service.manager,
      inherited: inheritedSockets(),
      taken: this.#takeOver(),
      exits: true,
    });
  }

  async run(plan: BalancerPlan): Promise<void> {
    // A signal that comes before everything is up is obeyed once it is.
    let up: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      up = resolve;
    });
    process.on('SIGTERM', () => void started.then(() => this.#stop()));
    process.on('SIGINT', () => void started.then(() => this.#stop()));
    process.on('SIGUSR1', () => void started.then(() => this.#softStop()));
    process.on('SIGHUP', () => void started.then(() => this.#reload()));
    process.on('SIGUSR2', () => void started.then(() => this.#reload()));
    try {
      await this.#supervisor.start(plan);
    } catch (error) {
      this.#fail(error);
    }
    this.#pidfile = this.#options.pidfile ?? plan.global.pidfile;
    if (this.#pidfile !== undefined) writeFileSync(this.#pidfile, `${process.pid}\n`);
    openBalancerControl(this.#supervisor, {
      node: this.#options.socket,
      launched: this.#options.controlFd !== undefined,
      failed: (reason) => this.#tell('notice', `No control socket (evergate status): ${reason}`),
    });
    dropPrivileges(plan.global, (text) => this.#fail(new Error(text)));
    for (const pid of this.#options.finish ?? []) this.#signalOld(pid, 'SIGUSR1');
    for (const pid of this.#options.terminate ?? []) this.#signalOld(pid, 'SIGTERM');
    if (plan.global.description !== '') this.#tell('notice', `${plan.global.node}: ${plan.global.description}`);
    this.#say('started');
    daemonReady();
    up();
  }

  #fail(error: unknown): never {
    if (!(error instanceof Error)) throw error;
    this.#tell('alert', error instanceof BindError ? `Starting: ${error.message}` : (error.stack ?? error.message));
    process.exit(1);
  }

  /** `-sf` and `-st`: what the old processes listen on is ours from now on, with everyone who waits there. */
  #takeOver(): TakenListeners | undefined {
    const pids = [...(this.#options.finish ?? []), ...(this.#options.terminate ?? [])].map(Number);
    if (pids.length === 0) return undefined;
    return takeOver(pids, (reason) =>
      this.#tell('notice', `${reason}; clients that wait there when it ends may be refused`),
    );
  }

  /** A process that is already gone is what `-sf` wanted. */
  #signalOld(pid: string, signal: NodeJS.Signals): void {
    try {
      process.kill(Number(pid), signal);
    } catch {
      this.#tell('notice', `process ${pid} was not there to be told to end`);
    }
  }

  #told(line: string): void {
    if (line === 'drain') this.#supervisor.drain();
  }

  /** Reads the files again. A bad file, or an address that can't be had, changes nothing. One at a time, the last one wins. */
  async #reload(): Promise<void> {
    if (this.#reloading) {
      this.#reloadAgain = true;
      return;
    }
    this.#reloading = true;
    this.#service?.reloading();
    try {
      do {
        this.#reloadAgain = false;
        this.#tell('notice', 'Reloading the configuration');
        await this.#reloadOnce();
      } while (this.#reloadAgain);
    } finally {
      this.#reloading = false;
      this.#service?.ready();
      this.#say('reloaded');
    }
  }

  async #reloadOnce(): Promise<void> {
    const loaded = await loadBalancerPlan(this.#options.file, limitOf(this.#options));
    process.stderr.write(loaded.report);
    if (loaded.plan === undefined) {
      this.#tell('alert', 'Reload refused: the configuration has errors (above); the running one stays in force');
      return;
    }
    try {
      await this.#supervisor.reload(withinDescriptors(loaded.plan, (text) => this.#tell('warning', text)));
      this.#tell('notice', 'Loading success.');
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      this.#tell('alert', `Reload refused: ${error.message}; the running configuration stays in force`);
    }
  }

  async #softStop(): Promise<void> {
    this.#service?.stopping();
    await this.#supervisor.softStop();
    this.#end();
  }

  async #stop(): Promise<void> {
    this.#service?.stopping();
    await this.#supervisor.stop();
    this.#end();
  }

  #end(): never {
    if (this.#pidfile !== undefined) rmSync(this.#pidfile, { force: true });
    exitAtOnce(0);
  }
}
