/**
 * The lab's network: bridges as switches, and hosts that hang on them. A host is a network, process, mount and name
 * namespace of its own, kept alive by its first process: end that, and the host has lost power.
 * Must run inside `enterLab`, so that none of this exists outside.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { insideLab } from './enter.ts';

export interface HostInterface {
  readonly name: string;
  /** Which switch its cable ends in, counted from 0. */
  readonly segment: number;
  /** Addresses with prefix, e.g. `10.42.0.73/24`. */
  readonly addresses: readonly string[];
}

export interface HostOptions {
  readonly name: string;
  /** At least one; its first address is the host's own. */
  readonly interfaces: readonly HostInterface[];
  /** Names that the host knows (/etc/hosts). */
  readonly names?: ReadonlyMap<string, string>;
  /** A server may bind addresses that the host does not have (yet). */
  readonly bindsForeign?: boolean;
}

export class Network {
  readonly #hosts: Host[] = [];
  readonly #segments: number;

  private constructor(segments: number) {
    this.#segments = segments;
  }

  static async create(segments = 1): Promise<Network> {
    if (!insideLab()) throw new Error('a lab network is made inside the namespaces of enterLab only');
    // No spanning tree, no multicast snooping: the switch floods VRRP's multicast as a plain one does.
    const lines = ['link set lo up'];
    for (let i = 0; i < segments; i++)
      lines.push(`link add ${bridge(i)} type bridge stp_state 0 mcast_snooping 0`, `link set ${bridge(i)} up`);
    await ip(lines);
    return new Network(segments);
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Boots a host and plugs it in. */
  async host(options: HostOptions): Promise<Host> {
    const host = new Host(options, this.#hosts.length);
    this.#hosts.push(host);
    await host.powerOn();
    return host;
  }

  /** Ends every host; their interfaces go with them. */
  async dispose(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.powerOff()));
    for (let i = 0; i < this.#segments; i++) spawnSync('ip', ['link', 'delete', bridge(i)]);
  }
}

function bridge(segment: number): string {
  return `switch${segment}`;
}

export class Host {
  readonly name: string;
  readonly interfaces: readonly HostInterface[];
  readonly #options: HostOptions;
  readonly #number: number;
  #holder: ChildProcess | undefined;
  #firstPid = 0;
  #pidNamespace = '';
  /** The nsenter(1) of each program that runs here. */
  readonly #entrances = new Set<ChildProcess>();

  /** Made by `Network.host`, which turns it on. */
  constructor(options: HostOptions, number: number) {
    this.name = options.name;
    this.interfaces = options.interfaces;
    this.#options = options;
    this.#number = number;
  }

  /** The host's first process, as the lab's namespace counts. */
  get firstPid(): number {
    return this.#firstPid;
  }

  get powered(): boolean {
    return this.#holder !== undefined;
  }

  /** The host's own address, without prefix. */
  get address(): string {
    return (this.interfaces[0]?.addresses[0] ?? '').replace(/\/.*/, '');
  }

  /** Starts the host's first process, plugs the cables in and sets the addresses. */
  async powerOn(): Promise<void> {
    if (this.#holder !== undefined) return;
    // The first process lives until its standard input closes: when the lab dies, so does every host. It waits for orphans
    // as every host's first process does: a zombie would count as alive with `killall -0`.
    const boot = `hostname "$0"; mount -t tmpfs tmpfs /run; ${privateDevices}; exec 3<&0; echo up; cat <&3 >/dev/null & while kill -0 $! 2>/dev/null; do wait; done`;
    const holder = spawn(
      'unshare',
      ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--uts', 'sh', '-c', boot, this.name],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#holder = holder;
    let complaint = '';
    let started = false;
    holder.stderr.on('data', (text: Buffer) => {
      complaint += text;
    });
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => {
        if (!started) throw new Error(`the lab's host ${this.name} did not start: ${complaint.trim()}`);
      }),
    ]);
    started = true;
    this.#firstPid = Number(childrenOf(holder.pid ?? 0)[0]);
    this.#pidNamespace = readlinkSync(`/proc/${this.#firstPid}/ns/pid`);
    await ip(
      this.interfaces.flatMap(({ name, segment }, i) => [
        `link add ${this.#port(i)} type veth peer name ${name} netns ${this.#firstPid}`,
        `link set ${this.#port(i)} master ${bridge(segment)} up`,
      ]),
    );
    await this.runToEnd('sh', '-ec', this.#bootScript());
    if (this.#options.names !== undefined) {
      const known = [...this.#options.names].map(([name, address]) => `${address} ${name}\n`);
      await this.write('/etc/hosts', `127.0.0.1 localhost\n::1 localhost\n${known.join('')}`);
    }
  }

  #bootScript(): string {
    // New namespaces inherit ip_forward; a plain host has 0, and 1 hides losses.
    const settings = ['net.ipv4.ip_forward=0', 'net.ipv6.conf.default.accept_dad=0'];
    if (this.#options.bindsForeign === true)
      settings.push('net.ipv4.ip_nonlocal_bind=1', 'net.ipv6.ip_nonlocal_bind=1');
    const lines = ['link set lo up'];
    for (const { name, addresses } of this.interfaces) {
      lines.push(`link set ${name} up`);
      for (const address of addresses)
        lines.push(`addr add ${address} dev ${name}${address.includes(':') ? ' nodad' : ''}`);
    }
    return `sysctl -qw ${settings.join(' ')} || true\nip -batch - <<'END'\n${lines.join('\n')}\nEND`;
  }

  /** Power loss: everything on the host ends at once, nobody says good-bye, the cables go dead. */
  async powerOff(): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#holder = undefined;
    const gone = holder.exitCode === null && holder.signalCode === null ? once(holder, 'exit') : undefined;
    if (this.#firstPid !== 0) killQuietly(this.#firstPid, 'SIGKILL');
    this.#wakeEntrances();
    holder.stdin?.destroy();
    await gone;
    await Promise.all(
      this.interfaces.map(async (_, i) => {
        const child = spawn('ip', ['link', 'delete', this.#port(i)], { stdio: 'ignore' });
        await once(child, 'exit');
      }),
    );
  }

  /** nsenter(1) stops itself when its program is stopped, and must go on to notice that program's end. */
  #wakeEntrances(): void {
    for (const entrance of this.#entrances) entrance.kill('SIGCONT');
  }

  /** The switch's end of the cable of interface `i`. */
  #port(i: number): string {
    return `port${this.#number}.${i}`;
  }

  /** Pulls all cables at the switch, or plugs them in again. */
  async cable(plugged: boolean): Promise<void> {
    await ip(this.interfaces.map((_, i) => `link set ${this.#port(i)} ${plugged ? 'up' : 'down'}`));
  }

  /** A fault inside the switch: with `false` it forwards nothing to and from this host, whose links stay up. */
  async forwarded(forwards: boolean): Promise<void> {
    const state = forwards ? 'forwarding' : 'disabled';
    for (let i = 0; i < this.interfaces.length; i++)
      await tool('bridge', ['link', 'set', 'dev', this.#port(i), 'state', bridgeStates[state]], '');
  }

  /** Starts a program on the host. The returned process is `nsenter`'s; `processes` finds the program itself. */
  run(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const entrance = spawn('nsenter', [...this.#namespaces(), ...argv], options);
    this.#entrances.add(entrance);
    entrance.on('exit', () => this.#entrances.delete(entrance));
    return entrance;
  }

  /** Runs a program on the host to its end and returns what it printed; throws when it fails. */
  async runToEnd(...argv: readonly string[]): Promise<string> {
    return tool('nsenter', [...this.#namespaces(), ...argv], '');
  }

  #namespaces(): readonly string[] {
    return ['--target', String(this.#firstPid), '--net', '--pid', '--mount', '--uts', '--'];
  }

  /**
   * Writes a file that this host alone sees. One that exists is covered by a mount; for a new one its top-level folder gets a writable layer
   * above what the machine has there (which takes root: in a user namespace the machine's folders belong to nobody).
   */
  async write(path: string, text: string, mode = '644'): Promise<void> {
    const top = `/${path.split('/')[1] ?? ''}`;
    const layer = `/run/layers${top}`;
    const own = top === '/run' || top === '/dev';
    const script = [
      `if [ -e "${path}" ] && ! ${own}; then mkdir -p "/run/covers${dirname(path)}"; cat > "/run/covers${path}"`,
      `chmod ${mode} "/run/covers${path}"; mount --bind "/run/covers${path}" "${path}"; exit; fi`,
      `if ! ${own} && ! [ -e ${layer} ]; then mkdir -p ${layer}/upper ${layer}/work`,
      `mount -t overlay overlay -o lowerdir=${top},upperdir=${layer}/upper,workdir=${layer}/work ${top}`,
      // The layer hides the files that were covered before.
      `[ ! -d /run/covers${top} ] || (cd /run/covers; find .${top} -type f) | while read -r file; do`,
      'mount --bind "/run/covers/$file" "/$file"; done; fi',
      `mkdir -p "${dirname(path)}"; cat > "${path}"; chmod ${mode} "${path}"`,
    ].join('\n');
    await tool('nsenter', [...this.#namespaces(), 'sh', '-ec', script], text);
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

  /**
   * Sends a signal to every process of this host that matches, and tells how many there were. The youngest first: a child that outlives
   * its parent could still say goodbye, as Keepalived's does.
   */
  signal(commandLine: RegExp, signal: NodeJS.Signals): number {
    const pids = [...this.processes(commandLine)].sort((a, b) => b - a);
    for (const pid of pids) killQuietly(pid, signal);
    if (signal === 'SIGCONT') this.#wakeEntrances();
    return pids.length;
  }
}

/** BR_STATE_… of linux/if_bridge.h. */
const bridgeStates = { disabled: '0', forwarding: '3' } as const;

/** A /dev of the host's own, so that its /dev/log is its own too; devices can't be made in a user namespace, but bound. */
const privateDevices = [
  'mkdir -p /run/dev/shm',
  'for d in null zero full random urandom tty; do : > /run/dev/$d; mount --bind /dev/$d /run/dev/$d; done',
  'mount --bind /dev/shm /run/dev/shm',
  'ln -s /proc/self/fd /run/dev/fd',
  'mount --rbind /run/dev /dev',
].join('; ');

/** Several commands of ip(8) in one process. */
async function ip(lines: readonly string[]): Promise<void> {
  await tool('ip', ['-batch', '-'], lines.map((line) => `${line}\n`).join(''));
}

/** Runs a base-system tool and throws with its own words when it fails: the lab can't go on with half a network. */
async function tool(program: string, argv: readonly string[], input: string): Promise<string> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, complaint] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    complaint += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${complaint.trim() || status}`);
  return out;
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
