/**
 * The lab's network: one bridge as the switch, and hosts that hang on it. A host is a network, process, mount and name
 * namespace of its own, kept alive by its first process: end that, and the host has lost power.
 * Must run inside `enterLab`, so that none of this exists outside.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { insideLab } from './enter.ts';

export interface HostOptions {
  readonly name: string;
  /** Addresses with prefix, e.g. `10.42.0.73/24`. The first one is the host's own. */
  readonly addresses: readonly string[];
  readonly interface: string;
}

/** Runs a base-system tool and throws with its own words when it fails: the lab can't go on with half a network. */
function tool(program: string, ...argv: readonly string[]): string {
  const result = spawnSync(program, argv, { encoding: 'utf8' });
  if (result.status !== 0)
    throw new Error(`${program} ${argv.join(' ')}: ${result.stderr?.trim() || result.error?.message || result.status}`);
  return result.stdout;
}

export class Network {
  readonly #bridge: string;
  readonly #hosts: Host[] = [];

  constructor(bridge = 'switch0') {
    if (!insideLab()) throw new Error('a lab network is made inside the namespaces of enterLab only');
    this.#bridge = bridge;
    tool('ip', 'link', 'set', 'lo', 'up');
    // No spanning tree, no multicast snooping: the switch floods VRRP's multicast as a plain one does.
    tool('ip', 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'mcast_snooping', '0');
    tool('ip', 'link', 'set', bridge, 'up');
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Boots a host and plugs it in. */
  async host(options: HostOptions): Promise<Host> {
    const host = await Host.boot(options, this.#bridge, this.#hosts.length);
    this.#hosts.push(host);
    return host;
  }

  /** Ends every host; their interfaces go with them. */
  async dispose(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.powerOff()));
    spawnSync('ip', ['link', 'delete', this.#bridge]);
  }
}

export class Host {
  readonly name: string;
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly #bridge: string;
  /** The switch's end of the cable. */
  readonly #port: string;
  #holder: ChildProcess | undefined;
  #firstPid = 0;
  #pidNamespace = '';

  private constructor(options: HostOptions, bridge: string, number: number) {
    this.name = options.name;
    this.interface = options.interface;
    this.addresses = options.addresses;
    this.#bridge = bridge;
    this.#port = `port${number}`;
  }

  static async boot(options: HostOptions, bridge: string, number: number): Promise<Host> {
    const host = new Host(options, bridge, number);
    await host.powerOn();
    return host;
  }

  /** The host's first process, as the lab's namespace counts. */
  get firstPid(): number {
    return this.#firstPid;
  }

  /** The host's own address, without prefix. */
  get address(): string {
    return (this.addresses[0] ?? '').replace(/\/.*/, '');
  }

  /** Starts the host's first process, plugs the cable in and sets the addresses. */
  async powerOn(): Promise<void> {
    // The first process lives until its standard input closes: when the lab dies, so does every host.
    const boot = 'hostname "$0"; ip link set lo up; mount -t tmpfs tmpfs /run; echo up; exec cat > /dev/null';
    const holder = spawn(
      'unshare',
      ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--uts', 'sh', '-c', boot, this.name],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#holder = holder;
    let complaint = '';
    holder.stderr.on('data', (text: Buffer) => {
      complaint += text;
    });
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => {
        if (this.#firstPid === 0) throw new Error(`the lab's host ${this.name} did not start: ${complaint.trim()}`);
      }),
    ]);
    this.#firstPid = Number(childrenOf(holder.pid ?? 0)[0]);
    this.#pidNamespace = readlinkSync(`/proc/${this.#firstPid}/ns/pid`);
    const peer = `peer-${this.#port}`;
    tool('ip', 'link', 'add', this.#port, 'type', 'veth', 'peer', 'name', peer);
    tool('ip', 'link', 'set', peer, 'netns', String(this.#firstPid));
    tool('ip', 'link', 'set', this.#port, 'master', this.#bridge, 'up');
    const commands = [
      // New namespaces inherit ip_forward; a plain host has 0, and 1 hides losses.
      'sysctl -qw net.ipv4.ip_forward=0',
      `ip link set ${peer} name ${this.interface}`,
      ...this.addresses.map((address) => `ip addr add ${address} dev ${this.interface}`),
      `ip link set ${this.interface} up`,
    ];
    this.runSync('sh', '-ec', commands.join('\n'));
  }

  /** Power loss: everything on the host ends at once, nobody says good-bye, the cable goes dead. */
  async powerOff(): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#holder = undefined;
    const gone = holder.exitCode === null && holder.signalCode === null ? once(holder, 'exit') : undefined;
    if (this.#firstPid !== 0) killQuietly(this.#firstPid, 'SIGKILL');
    holder.stdin?.destroy();
    await gone;
    spawnSync('ip', ['link', 'delete', this.#port]);
  }

  /** Pulls the cable at the switch, or plugs it in again. */
  cable(plugged: boolean): void {
    tool('ip', 'link', 'set', this.#port, plugged ? 'up' : 'down');
  }

  /** Starts a program on the host. The returned process is `nsenter`'s; `processes` finds the program itself. */
  run(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn('nsenter', [...this.#namespaces(), ...argv], options);
  }

  /** Runs a program on the host to its end and returns what it printed; throws when it fails. */
  runSync(...argv: readonly string[]): string {
    return tool('nsenter', ...this.#namespaces(), ...argv);
  }

  #namespaces(): readonly string[] {
    return ['--target', String(this.#firstPid), '--net', '--pid', '--mount', '--uts', '--'];
  }

  /** The processes of this host (their ids as the lab sees them) whose command line matches. */
  processes(commandLine: RegExp): readonly number[] {
    const found: number[] = [];
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid === this.#firstPid) continue;
      try {
        if (readlinkSync(`/proc/${pid}/ns/pid`) !== this.#pidNamespace) continue;
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        if (commandLine.test(words)) found.push(pid);
      } catch {
        // It ended while we were looking: then it isn't there.
      }
    }
    return found;
  }

  /** Sends a signal to every process of this host that matches, and tells how many there were. */
  signal(commandLine: RegExp, signal: NodeJS.Signals): number {
    const pids = this.processes(commandLine);
    for (const pid of pids) killQuietly(pid, signal);
    return pids.length;
  }

  /** Does the host's interface carry this address now? */
  holds(address: string): boolean {
    return this.runSync('ip', '-o', 'addr', 'show').includes(` ${address}/`);
  }
}

function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone: that is what was asked for.
  }
}

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/);
}
