/**
 * A whole Debian machine with systemd, booted by systemd-nspawn on a site's switch. Each has a root file system of its own over a
 * common one, and a control group of its own, through which it loses its power.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { removeGroup, sleepMs, tied, undoAtExit } from './leftovers.ts';
import { must, type Ran, runProgram, type Site } from './site.ts';

/** What a machine is made of: systemd, a way in, and what Ansible needs there. */
export const machinePackages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'openssh-server', 'sudo', 'python3', 'python3-apt'],
  ...['iproute2', 'nftables', 'procps', 'curl', 'ca-certificates', 'libatomic1', 'libstdc++6'],
];

/** The user of the machines who is not root and may use sudo. */
export const administrator = 'admin';

/** Unpacks a Debian root made by mmdebstrap and makes it a machine that can be administered. @returns its folder. */
export async function prepareRoot(site: Site, archive: string): Promise<string> {
  const root = join(site.folder, 'root');
  mkdirSync(root);
  await exec(['tar', '-xpf', archive, '-C', root, '--numeric-owner']);
  await exec(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(site.folder, 'key')]);
  await addAdministrator(root, readFileSync(join(site.folder, 'key.pub'), 'utf8'));
  writeFileSync(join(root, 'etc/apt/apt.conf.d/90proxy'), `Acquire::http::Proxy "${site.proxyUrl}";\n`);
  appendFileSync(join(root, 'etc/ssh/sshd_config'), 'UseDNS no\n');
  // The network here has no name server. Questions to the one of this machine would each wait 10 s for an answer.
  writeFileSync(join(root, 'etc/resolv.conf'), '');
  // Ansible's apt module takes young lists for fresh ones, though nothing was ever fetched.
  await exec(['touch', '-d', '2000-01-01', join(root, 'var/lib/apt/lists')]);
  for (const unit of ['systemd-networkd', 'ssh']) await exec(['systemctl', `--root=${root}`, 'enable', unit]);
  await exec([
    'systemctl',
    `--root=${root}`,
    'mask',
    'systemd-networkd-wait-online',
    'getty@',
    'console-getty',
    'systemd-firstboot',
  ]);
  return root;
}

/** Root, who looks around in the tests; and a user who may use sudo, as whom the playbooks log in. */
async function addAdministrator(root: string, key: string): Promise<void> {
  mkdirSync(join(root, 'root/.ssh'), { mode: 0o700, recursive: true });
  writeFileSync(join(root, 'root/.ssh/authorized_keys'), key, { mode: 0o600 });
  await exec(['chroot', root, 'useradd', '--create-home', '--shell', '/bin/bash', administrator]);
  writeFileSync(join(root, 'etc/sudoers.d', administrator), `${administrator} ALL=(ALL) NOPASSWD: ALL\n`, {
    mode: 0o440,
  });
  await exec(['cp', '-r', join(root, 'root/.ssh'), join(root, 'home', administrator)]);
  await exec(['chroot', root, 'chown', '-R', `${administrator}:`, `/home/${administrator}/.ssh`]);
}

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly #site: Site;
  readonly #root: string;
  readonly #home: string;
  readonly #group: string;
  readonly #remove: () => void;
  #nspawn: ChildProcess | undefined;

  constructor(site: Site, root: string, name: string, address: string) {
    this.#site = site;
    this.#root = root;
    this.name = name;
    this.address = address;
    this.#home = join(site.folder, name);
    this.#group = `evergate-${process.pid}-${name}`;
    this.#remove = undoAtExit(() => {
      if (!existsSync(join(groups, this.#group))) return;
      writeFileSync(join(groups, this.#group, 'cgroup.kill'), '1');
      for (let tries = 0; tries < 100 && this.#populated(); tries++) sleepMs(20);
      removeGroup(join(groups, this.#group));
    });
    for (const folder of ['upper/etc/systemd/network', 'work', 'merged'])
      mkdirSync(join(this.#home, folder), { recursive: true });
    const upper = join(this.#home, 'upper');
    writeFileSync(join(upper, 'etc/hostname'), `${name}\n`);
    writeFileSync(join(upper, 'etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
    writeFileSync(join(upper, 'etc/machine-id'), 'uninitialized\n');
    writeFileSync(
      join(upper, 'etc/systemd/network/10-host0.network'),
      `[Match]\nName=host0\n[Network]\nAddress=${address}/24\nGateway=${site.address}\nLinkLocalAddressing=no\n`,
    );
  }

  /** Switches it on; `booted` tells when it is up. */
  start(): void {
    const script = `
set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/${this.#group}
echo $$ > /sys/fs/cgroup/${this.#group}/cgroup.procs
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
mount -t overlay overlay -o lowerdir=${this.#root},upperdir=${this.#home}/upper,workdir=${this.#home}/work ${this.#home}/merged
status=133
while [ $status = 133 ]; do
  status=0
  # After a loss of power the kernel takes its time to unplug the old cable.
  ip link delete vb-${this.name} 2> /dev/null || true
  systemd-nspawn -q -b -D ${this.#home}/merged -M ${this.name} --network-bridge=br0 --register=no --keep-unit --resolv-conf=off \\
    --link-journal=no --console=pipe --capability=CAP_NET_ADMIN,CAP_SYSLOG,CAP_IPC_LOCK || status=$?
done`;
    const [program, ...rest] = [...this.#site.inside, ...tied, 'sh', '-c', script];
    this.#nspawn = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#nspawn.stdout!, this.#nspawn.stderr!])
      stream.on('data', (text) => appendFileSync(join(this.#home, 'console'), text));
  }

  get isOn(): boolean {
    return this.#nspawn !== undefined && this.#nspawn.exitCode === null && this.#nspawn.signalCode === null;
  }

  /** Waits until the machine answers to the administrator. */
  async booted(): Promise<void> {
    for (const until = monotonicMs() + 60_000; monotonicMs() < until; ) {
      const { status, stdout } = await this.run(['systemctl', 'is-system-running']);
      if (status !== 255 && /running|degraded/.test(stdout)) return;
      await pause(100);
    }
    throw new Error(
      `${this.name} does not come up:\n${readFileSync(join(this.#home, 'console'), 'utf8').slice(-2000)}`,
    );
  }

  /** Runs a program on the machine, over ssh as an administrator does. */
  async run(argv: readonly string[]): Promise<Ran> {
    const words = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return await this.#site.run(['ssh', ...this.sshOptions, `root@${this.address}`, words]);
  }

  async must(argv: readonly string[]): Promise<string> {
    return must(await this.run(argv), [this.name, ...argv]);
  }

  get sshOptions(): readonly string[] {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=3'];
    return ['-i', join(this.#site.folder, 'key'), ...options.flatMap((option) => ['-o', option])];
  }

  /** Nothing is told to anybody: every process is gone at once. */
  async powerLoss(): Promise<void> {
    if (!this.isOn) return;
    const gone = once(this.#nspawn!, 'exit');
    writeFileSync(join(groups, this.#group, 'cgroup.kill'), '1');
    await gone;
    this.#nspawn = undefined;
    await this.#emptied();
  }

  freeze(frozen: boolean): void {
    writeFileSync(join(groups, this.#group, 'cgroup.freeze'), frozen ? '1' : '0');
  }

  /** Pulls its cable out of the switch, or puts it back. */
  async cable(state: 'up' | 'down'): Promise<void> {
    await this.#site.must(['ip', 'link', 'set', `vb-${this.name}`, state]);
  }

  /** Resolves once the machine is off, as it switched itself off. */
  async off(): Promise<void> {
    if (this.isOn) await once(this.#nspawn!, 'exit');
    this.#nspawn = undefined;
    await this.#emptied();
  }

  async close(): Promise<void> {
    await this.powerLoss();
    this.#remove();
  }

  /** The kernel takes dead processes out of their group after their parent heard of it. */
  async #emptied(): Promise<void> {
    for (let tries = 0; tries < 200 && this.#populated(); tries++) await pause(20);
    removeGroup(join(groups, this.#group));
  }

  #populated(): boolean {
    const events = join(groups, this.#group, 'cgroup.events');
    return existsSync(events) && readFileSync(events, 'utf8').includes('populated 1');
  }
}

/** Version 2 of the control groups, as this machine mounts it. */
const groups = existsSync('/sys/fs/cgroup/unified/cgroup.procs') ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';

async function exec(argv: readonly string[]): Promise<void> {
  must(await runProgram(argv), argv);
}
