/** Two balancers and a web server, booted, with what an administrator of them does: playbooks, and looking who holds the virtual address. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { debianRoot, releaseFolder } from './bases.ts';
import { administrator, Machine, machinePackages, prepareRoot } from './machine.ts';
import { must, type Ran, runProgram, Site } from './site.ts';

/** What the second release says of itself. */
export const nextCommit = 'upgraded00';

const ansible = new URL('../../deploy/ansible/', import.meta.url).pathname;

export class Cluster {
  readonly virtualAddress = '10.42.0.240';
  readonly site: Site;
  readonly lb1: Machine;
  readonly lb2: Machine;
  readonly server1: Machine;
  /** Folders of two releases that differ in their commit only. */
  readonly releases: readonly [string, string];

  private constructor(site: Site, root: string, release: string) {
    this.site = site;
    this.lb1 = new Machine(site, root, 'lb1', '10.42.0.73');
    this.lb2 = new Machine(site, root, 'lb2', '10.42.0.38');
    this.server1 = new Machine(site, root, 'server1', '10.42.0.135');
    this.releases = [release, join(site.folder, 'next-release')];
  }

  /** Fresh machines that are up, the configuration that `evergate init` writes for them, and two releases. */
  static async boot(): Promise<Cluster> {
    const site = await Site.open('10.42.0.1');
    let cluster: Cluster | undefined;
    try {
      const [root, release] = await Promise.all([
        debianRoot('machine', machinePackages).then((archive) => prepareRoot(site, archive)),
        releaseFolder(),
      ]);
      cluster = new Cluster(site, root, release);
      for (const machine of cluster.machines) machine.start();
      await Promise.all([cluster.#init(), nextRelease(...cluster.releases)]);
      for (const machine of cluster.machines) await machine.booted();
      return cluster;
    } catch (error) {
      // Nobody else knows of it, and what runs there would keep this process from ending.
      await (cluster ?? site).close();
      throw error;
    }
  }

  get machines(): readonly Machine[] {
    return [this.lb1, this.lb2, this.server1];
  }

  get balancers(): readonly Machine[] {
    return [this.lb1, this.lb2];
  }

  /** After any fault: everything on, plugged in and running, and the preferred balancer in its place. */
  async heal(): Promise<void> {
    for (const machine of this.balancers) {
      if (machine.isOn) {
        machine.freeze(false);
        await machine.cable('up');
      } else machine.start();
      await machine.booted();
      await machine.must(['systemctl', 'start', 'evergate']);
      await machine.run(['evergate', 'resume']);
    }
    await this.becomes('lb1');
  }

  async close(): Promise<void> {
    for (const machine of this.machines) await machine.close();
    await this.site.close();
  }

  /** Runs a playbook as an administrator on the switch, as docs/tutorial.md has it. Fails with its output when a task failed. */
  async play(name: string, more: readonly string[] = []): Promise<string> {
    const from = monotonicMs();
    const env = {
      ...process.env,
      ANSIBLE_CONFIG: join(ansible, 'ansible.cfg'),
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_LOCAL_TEMP: join(this.site.folder, 'ansible'),
      ANSIBLE_SSH_CONTROL_PATH_DIR: join(this.site.folder, 'ssh'),
    };
    const variables = {
      ansible_user: administrator,
      ansible_ssh_common_args: this.lb1.sshOptions.join(' '),
      evergate_release_folder: this.releases[0],
      evergate_firewall: true,
      evergate_demo_servers: true,
    };
    const argv = [
      ...['ansible-playbook', '-i', join(this.site.folder, 'cluster/inventory.yml')],
      ...[join(ansible, `playbooks/${name}.yml`), '-e', JSON.stringify(variables), ...more],
    ];
    const output = must(await this.site.run(argv, { env }), argv);
    console.log(`${[name, ...more].join(' ')}: ${Math.round((monotonicMs() - from) / 1000)} s`);
    return output;
  }

  /** Who holds the virtual address, of the machines that are asked. */
  async holders(asked = this.balancers): Promise<string[]> {
    // On lo it is kept for a moment for connections that were open when it left.
    const argv = ['ip', '-oneline', 'address', 'show', 'dev', 'host0', 'to', this.virtualAddress];
    const answers = await Promise.all(
      asked.map(async (machine): Promise<[Machine, Ran]> => [machine, await machine.run(argv)]),
    );
    return answers.filter(([, { stdout }]) => stdout !== '').map(([{ name }]) => name);
  }

  /** Waits until that machine, and no other of those asked, holds the virtual address and answers there. */
  async becomes(name: string, asked?: readonly Machine[]): Promise<void> {
    let found: string[] = [];
    for (const until = monotonicMs() + 30_000; monotonicMs() < until; await pause(100)) {
      found = await this.holders(asked);
      if (found.join() === name && (await this.#ask()).status === 0) return;
    }
    assert.fail(`the virtual address should be on ${name}, and is on ${found.join(', ') || 'none'}`);
  }

  /** What the balancers' services logged in the last so many milliseconds, without the lines of single requests. */
  async journals(ms: number): Promise<string> {
    const since = `-${Math.ceil(ms / 1000) + 1}s`;
    const units = ['-u', 'evergate*', '-u', 'keepalived'];
    const argv = [
      'journalctl',
      '--no-pager',
      '-o',
      'short-precise',
      '--since',
      since,
      '--grep',
      '^(?!.* http_in )',
      ...units,
    ];
    const told = this.balancers.map(async (machine) => `${machine.name}:\n${(await machine.run(argv)).stdout}`);
    return (await Promise.all(told)).join('\n');
  }

  /** What a client gets at the virtual address. */
  async ask(): Promise<string> {
    return must(await this.#ask(), ['curl']);
  }

  async #ask(): Promise<Ran> {
    return await this.site.run(['curl', '-s', '-m', '2', `http://${this.virtualAddress}/`]);
  }

  async #init(): Promise<void> {
    const argv = [
      ...[process.execPath, new URL('../../src/main.ts', import.meta.url).pathname],
      ...['init', '--out', join(this.site.folder, 'cluster')],
      ...['--balancers', this.balancers.map(({ name, address }) => `${name}=${address}`).join(',')],
      ...['--servers', `server1=${this.server1.address}`],
      ...['--virtual-ip', `${this.virtualAddress}/24`, '--interface', 'host0'],
    ];
    must(await runProgram(argv), argv);
  }
}

/** How much a playbook's run changed on so many machines, of its last lines. */
export function changes(output: string, machines: number): number {
  const recap = [...output.slice(output.lastIndexOf('PLAY RECAP')).matchAll(/changed=(\d+)/g)];
  assert.equal(recap.length, machines, output.slice(-2000));
  return recap.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** yamllint and ansible-lint, as they are configured beside the playbooks. */
export async function lint(): Promise<void> {
  for (const argv of [
    ['yamllint', '--strict', '-c', '.yamllint', '.'],
    ['ansible-lint', '--offline', '--nocolor', '-q'],
  ])
    must(await runProgram(argv, { cwd: ansible }), argv);
}

/** The same release with another commit, which is another archive with another sum. */
async function nextRelease(from: string, to: string): Promise<void> {
  const sums = readFileSync(join(from, 'SHA256SUMS'), 'utf8');
  const archive = new RegExp(`\\S+-linux-${process.arch}\\.tar\\.gz`).exec(sums)![0];
  const name = archive.replace('.tar.gz', '');
  const unpacked = join(to, 'unpacked');
  mkdirSync(unpacked, { recursive: true });
  const run = async (...argv: string[]) => must(await runProgram(argv), argv);
  await run('tar', '-xzf', join(from, archive), '-C', unpacked);
  writeFileSync(join(unpacked, name, 'dist/commit'), `${nextCommit}\n`);
  await run('tar', '--use-compress-program=gzip -1', '-cf', join(to, archive), '-C', unpacked, name);
  writeFileSync(join(to, 'SHA256SUMS'), await run('sh', '-c', `cd ${to} && sha256sum ${archive}`));
  await run('rm', '-r', unpacked);
}
