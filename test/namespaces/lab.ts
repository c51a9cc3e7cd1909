/**
 * Hosts for tests: each has network, process and mount namespaces of its own and hangs on one switch. Everything lives as long as the
 * process that made it, and not longer: the kernel ends a namespace with its first process, which reads from us.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export class TestLab {
  readonly #switch: Namespace;
  readonly #hosts: TestHost[] = [];

  private constructor(bridge: Namespace) {
    this.#switch = bridge;
  }

  static async create(): Promise<TestLab> {
    const bridge = await Namespace.open(['--net']);
    // Snooping would keep multicast from ports that have joined nothing yet, as no plain switch does.
    bridge.run('ip link add switch0 type bridge stp_state 0 mcast_snooping 0');
    bridge.run('ip link set switch0 up');
    return new TestLab(bridge);
  }

  /** A host with `eth0` on the switch. @param addresses with prefix; IPv6 ones are usable at once. */
  async host(addresses: readonly string[]): Promise<TestHost> {
    const namespace = await Namespace.open(['--net', '--pid', '--mount', '--mount-proc']);
    const port = `port${this.#hosts.length}`;
    this.#switch.run(`ip link add ${port} type veth peer name eth0 netns ${namespace.pid}`);
    this.#switch.run(`ip link set ${port} master switch0 up`);
    for (const folder of ['/run', '/tmp']) cover(namespace, folder);
    namespace.run(
      'sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0',
    );
    namespace.run('ip link set lo up');
    namespace.run('ip link set eth0 up');
    for (const address of addresses)
      namespace.run(`ip addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`);
    const host = new TestHost(namespace, () => this.#switch, port);
    this.#hosts.push(host);
    return host;
  }

  /** Starts a program where the switch is: it sees every frame. */
  onSwitch(argv: readonly string[]): ChildProcess {
    return this.#switch.start(argv);
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await host.close();
    await this.#switch.close();
  }
}

const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Puts an empty file system over `folder`. A checkout that lies below it stays reachable. */
function cover(namespace: Namespace, folder: string): void {
  if (!repository.startsWith(`${folder}/`)) {
    namespace.run(`mount -t tmpfs tmpfs ${folder}`);
    return;
  }
  const beside = '/mnt';
  namespace.run(`mount --bind ${repository} ${beside}`);
  namespace.run(`mount -t tmpfs tmpfs ${folder}`);
  namespace.run(`mkdir -p ${repository}`);
  namespace.run(`mount --move ${beside} ${repository}`);
}

export class TestHost {
  readonly #namespace: Namespace;
  readonly #switch: () => Namespace;
  readonly #port: string;

  constructor(namespace: Namespace, bridge: () => Namespace, port: string) {
    this.#namespace = namespace;
    this.#switch = bridge;
    this.#port = port;
  }

  /** Starts a program on the host. `signal` of the returned handle reaches the program itself. */
  start(argv: readonly string[]): Program {
    return new Program(this.#namespace.start(argv));
  }

  /** Runs a command to its end and returns what it printed; throws when it fails. */
  run(command: string): string {
    return this.#namespace.run(command);
  }

  /** Arguments for nsenter(1), for what `start` can't do. */
  get enter(): readonly string[] {
    return this.#namespace.enter;
  }

  /** Writes a file that only this host has (below /run or /tmp). */
  write(path: string, text: string): void {
    this.#namespace.write(path, text);
  }

  /** On an interface: what the loopback has, nobody else can reach. */
  holds(address: string): boolean {
    const lines = this.run('ip -o addr show').split('\n');
    return lines.some((line) => line.includes(` ${address}/`) && !/^\d+: lo\b/.test(line));
  }

  /** Pulls the cable out at the switch, or puts it in. */
  cable(plugged: boolean): void {
    this.#switch().run(`ip link set ${this.#port} ${plugged ? 'up' : 'down'}`);
  }

  /** Cuts this host off from all others that are isolated too, without touching a link. */
  isolate(isolated: boolean): void {
    this.#switch().run(`bridge link set dev ${this.#port} isolated ${isolated ? 'on' : 'off'}`);
  }

  close(): Promise<void> {
    return this.#namespace.close();
  }
}

/** A running program and what it has printed so far. */
export class Program {
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #output = '';
  #wake: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        this.#output += text;
        for (const wake of this.#wake.splice(0)) wake();
      });
    this.ended = once(child, 'exit').then(([status]) => {
      for (const wake of this.#wake.splice(0)) wake();
      return status as number | null;
    });
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when the program has printed something that matches, from character `from` on. */
  async printed(pattern: RegExp, timeoutMs = 10_000, from = 0): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (!pattern.test(this.#output.slice(from))) {
      const left = until - performance.now();
      if (left <= 0 || this.#child.exitCode !== null)
        throw new Error(`no ${pattern} within ${timeoutMs} ms in:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** nsenter(1) waits for the program in the other process namespace; the signal is meant for that one. */
  signal(name: NodeJS.Signals): void {
    const started = descendants(this.#child.pid ?? 0);
    for (const pid of started) tryKill(pid, name);
    // nsenter(1) stops with the program, and must go on with it.
    if (name === 'SIGKILL' || name === 'SIGCONT' || started.length === 0) this.#child.kill(name);
  }

  /** Only the program that was started, not the ones it started itself. */
  signalFirst(name: NodeJS.Signals): void {
    const first = childrenOf(this.#child.pid ?? 0)[0];
    if (first !== undefined) tryKill(first, name);
  }
}

/** A namespace held open by one small process, which ends when we do. */
class Namespace {
  readonly pid: number;
  readonly #holder: ChildProcess;
  readonly enter: readonly string[];

  private constructor(holder: ChildProcess, pid: number, kinds: readonly string[]) {
    this.#holder = holder;
    this.pid = pid;
    this.enter = ['--target', String(pid), ...kinds.filter((kind) => kind !== '--mount-proc'), '--'];
  }

  static async open(kinds: readonly string[]): Promise<Namespace> {
    const holder = spawn('unshare', [...kinds, '--fork', '--kill-child', 'sh', '-c', 'echo up; exec cat >/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(holder.stdout!, 'data');
    return new Namespace(holder, childrenOf(holder.pid ?? 0)[0], kinds);
  }

  start(argv: readonly string[]): ChildProcess {
    return spawn('nsenter', [...this.enter, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  run(command: string): string {
    const result = spawnSync('nsenter', [...this.enter, ...command.split(' ')], { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`${command}: ${result.stderr}`);
    return result.stdout;
  }

  write(path: string, text: string): void {
    spawnSync('nsenter', [...this.enter, 'tee', path], { input: text, stdio: ['pipe', 'ignore', 'inherit'] });
  }

  async close(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const gone = once(this.#holder, 'exit');
    this.#holder.stdin?.destroy();
    tryKill(this.pid, 'SIGKILL');
    await gone;
  }
}

function tryKill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}
