/**
 * Three booted Debian machines, two balancers and a web server: the playbooks make them a cluster, and then it has to survive what
 * machines do. Everything that ships is used as it ships: the release archive, the units, the roles.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../../src/lab/network.ts';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { isLostBetween, type ProbeSummary, summarise } from '../../src/lab/prober/outage.ts';
import { Prober } from '../../src/lab/prober/prober.ts';
import { debianRoot, releaseFolder } from './bases.ts';
import { Machine, machinePackages, prepareRoot } from './machine.ts';
import { must, type Ran, runProgram, Site } from './site.ts';

const virtualAddress = '10.42.0.240';
let site: Site;
let lb1: Machine;
let lb2: Machine;
let server1: Machine;
/** Folders of two releases that differ in their commit only. */
let releases: readonly [string, string];

before(async () => {
  site = await Site.open('10.42.0.1');
  const root = await prepareRoot(site, await debianRoot('machine', machinePackages));
  lb1 = new Machine(site, root, 'lb1', '10.42.0.73');
  lb2 = new Machine(site, root, 'lb2', '10.42.0.38');
  server1 = new Machine(site, root, 'server1', '10.42.0.135');
  for (const machine of [lb1, lb2, server1]) machine.start();
  await initCluster();
  releases = [await releaseFolder(), join(site.folder, 'next-release')];
  await nextRelease(...releases);
  for (const machine of [lb1, lb2, server1]) await machine.booted();
});

after(async () => {
  for (const machine of [lb1, lb2, server1]) await machine?.close();
  await site?.close();
});

test('yamllint and ansible-lint (production profile) have nothing to say', async () => {
  const cwd = new URL('../../deploy/ansible/', import.meta.url).pathname;
  for (const argv of [
    ['yamllint', '--strict', '-c', '.yamllint', '.'],
    ['ansible-lint', '--offline', '--nocolor', '-q'],
  ])
    must(await runProgram(argv, { cwd }), argv);
});

test('the playbooks make a cluster of fresh machines; a second run changes nothing, nor would one with --check', async () => {
  await play('site');
  assert.deepEqual(await holders(), ['lb1']);
  assert.equal(changes(await play('site')), 0);
  assert.equal(changes(await play('site', ['--check'])), 0);
});

test('the service runs as a user of its own, hardened, and tells systemd how it is', async () => {
  const properties = await lb1.must([
    'systemctl',
    'show',
    'evergate',
    '-p',
    'StatusText,NotifyAccess,User,NFileDescriptorStore',
  ]);
  assert.match(properties, /StatusText=Serving/);
  assert.match(properties, /NFileDescriptorStore=1/);
  assert.doesNotMatch(
    await lb1.must(['ps', '-o', 'user=', '-C', 'evergate-run,evergate-balance,evergate-vrrp']),
    /root/,
  );
  const exposure = /level for evergate.service: (\d+\.\d)/.exec(
    (await lb1.run(['systemd-analyze', 'security', 'evergate', '--no-pager'])).stdout,
  );
  assert.ok(Number(exposure?.[1]) < 3, `systemd-analyze security says ${exposure?.[1]}`);
});

test('a restart of the service refuses nobody, at the virtual address and at its own', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    await lb1.must(['systemctl', 'restart', 'evergate']);
    await pause(1500);
  });
  assert.equal(seen.failed, 0, describe('restart, seen at the virtual address', seen));
  // Nobody takes over here: connections wait in the socket that systemd keeps, as long as stop and start take.
  const patient = await underLoad(
    lb2.address,
    async () => {
      await lb2.must(['systemctl', 'restart', 'evergate']);
      await pause(1500);
    },
    8000,
  );
  assert.equal(patient.failed, 0, describe("restart, seen at the node's own address", patient));
  await becomes('lb1');
});

test('a reload of the service loses nothing, and one with a bad file is refused', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    await lb1.must(['systemctl', 'reload', 'evergate']);
    await lb1.must(['sh', '-c', 'cp /etc/evergate/haproxy.cfg /tmp/ && echo nonsense >> /etc/evergate/haproxy.cfg']);
    assert.notEqual((await lb1.run(['systemctl', 'reload', 'evergate'])).status, 0);
    await lb1.must(['sh', '-c', 'cat /tmp/haproxy.cfg > /etc/evergate/haproxy.cfg']);
  });
  assert.equal(seen.failed, 0, describe('reload', seen));
});

test('power loss of the active balancer: the other one answers within half a second, and hands back', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    await lb1.powerLoss();
    await becomes('lb2');
    await pause(1500);
  });
  assert.ok(seen.outageMs < 1000, describe('power loss', seen));
  const back = await underLoad(virtualAddress, async () => {
    lb1.start();
    await lb1.booted();
    await becomes('lb1');
    await pause(1500);
  });
  assert.ok(back.outageMs < 500, describe('the preferred node comes back', back));
});

test('the cable of the active balancer: pulled and put back', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    await lb1.cable('down');
    await becomes('lb2', [lb2]);
    await pause(1500);
  });
  assert.ok(seen.outageMs < 1000, describe('cable pulled', seen));
  await lb1.cable('up');
  await becomes('lb1');
});

test('an orderly stop loses nothing', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    await lb1.must(['systemctl', 'stop', 'evergate']);
    await becomes('lb2');
    await pause(1500);
    await lb1.must(['systemctl', 'start', 'evergate']);
    await becomes('lb1');
    await pause(1500);
  });
  assert.equal(seen.failed, 0, describe('orderly stop and return', seen));
});

test('a frozen machine is replaced', async () => {
  const seen = await underLoad(virtualAddress, async () => {
    lb1.freeze(true);
    await becomes('lb2', [lb2]);
    await pause(1500);
  });
  assert.ok(seen.outageMs < 1000, describe('frozen machine', seen));
  lb1.freeze(false);
  await becomes('lb1');
});

test('another release, one balancer at a time, without a lost request', async () => {
  const old = await lb1.must(['evergate', '--version']);
  const seen = await underLoad(virtualAddress, async () => {
    await play('upgrade', ['-e', `evergate_release_folder=${releases[1]}`]);
    await becomes('lb1');
  });
  assert.equal(seen.failed, 0, describe('rolling upgrade', seen));
  assert.notEqual(await lb1.must(['evergate', '--version']), old);
});

test('reboot brings everything back', async () => {
  await play('reboot');
  await becomes('lb1');
  assert.match(await ask(), /server1/);
});

test('uninstall leaves nothing', async () => {
  await play('uninstall');
  for (const machine of [lb1, lb2]) {
    assert.equal(
      await machine.must(['find', '/etc', '/opt', '/usr', '/var', '/run', '-xdev', '-iname', '*evergate*']),
      '',
    );
    assert.equal((await machine.run(['getent', 'passwd', 'evergate'])).status, 2);
    assert.equal(await machine.must(['ip', '-oneline', 'address', 'show', 'to', virtualAddress]), '');
  }
});

/** Runs a playbook as an administrator on the switch, as docs/tutorial.md has it. Fails with its output when a task failed. */
async function play(name: string, more: readonly string[] = []): Promise<string> {
  const ansible = new URL('../../deploy/ansible/', import.meta.url).pathname;
  const env = {
    ...process.env,
    ANSIBLE_CONFIG: join(ansible, 'ansible.cfg'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_LOCAL_TEMP: join(site.folder, 'ansible'),
  };
  const variables = {
    ansible_user: 'root',
    ansible_ssh_common_args: lb1.sshOptions.join(' '),
    evergate_release_folder: releases[0],
    evergate_firewall: true,
    evergate_demo_servers: true,
  };
  const inventory = join(site.folder, 'cluster/inventory.yml');
  const argv = [
    ...['ansible-playbook', '-i', inventory, join(ansible, `playbooks/${name}.yml`)],
    ...['-e', JSON.stringify(variables), ...more],
  ];
  return must(await site.run(argv, { env }), argv);
}

/** `evergate init` for these machines. */
async function initCluster(): Promise<void> {
  const argv = [
    ...[
      process.execPath,
      new URL('../../src/main.ts', import.meta.url).pathname,
      'init',
      '--out',
      join(site.folder, 'cluster'),
    ],
    ...['--balancers', `lb1=${lb1.address},lb2=${lb2.address}`, '--servers', `server1=${server1.address}`],
    ...['--virtual-ip', `${virtualAddress}/24`, '--interface', 'host0'],
  ];
  must(await runProgram(argv), argv);
}

/** How much a playbook's run changed, of its last lines. */
function changes(output: string): number {
  const recap = [...output.slice(output.lastIndexOf('PLAY RECAP')).matchAll(/changed=(\d+)/g)];
  assert.equal(recap.length, 3, output.slice(-2000));
  return recap.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Who holds the virtual address, of the machines that are asked. */
async function holders(asked: readonly Machine[] = [lb1, lb2]): Promise<string[]> {
  const answers = await Promise.all(
    asked.map(
      async (machine): Promise<[Machine, Ran]> => [
        machine,
        await machine.run(['ip', '-oneline', 'address', 'show', 'to', virtualAddress]),
      ],
    ),
  );
  return answers.filter(([, { stdout }]) => stdout !== '').map(([{ name }]) => name);
}

/** Waits until that machine, and no other of those asked, holds the virtual address and answers there. */
async function becomes(name: string, asked?: readonly Machine[]): Promise<void> {
  let found: string[] = [];
  for (const until = monotonicMs() + 30_000; monotonicMs() < until; await pause(100)) {
    found = await holders(asked);
    if (found.join() === name && (await askOnce()).status === 0) return;
  }
  assert.fail(`the virtual address should be on ${name}, and is on ${found.join(', ') || 'none'}`);
}

async function askOnce(): Promise<Ran> {
  return await site.run(['curl', '-s', '-m', '2', `http://${virtualAddress}/`]);
}

async function ask(): Promise<string> {
  return must(await askOnce(), ['curl']);
}

/**
 * 100 new connections a second and two kept ones, while something happens. What clients saw is written out and returned. A kept
 * connection that is lost between two requests, when the address moves, is no failed request (`isLostBetween`).
 */
async function underLoad(host: string, act: () => Promise<void>, patienceMs = 900): Promise<ProbeSummary> {
  const client = {
    run: (argv: readonly string[], options: object) =>
      spawn(site.inside[0]!, [...site.inside.slice(1), ...argv], options),
  };
  const prober = new Prober(client as unknown as Host, { host, newPerSecond: 100, kept: 2, patienceMs });
  try {
    await prober.until(({ outcome }) => outcome === 'ok');
    const from = monotonicMs();
    await act();
    await prober.stop();
    const records = prober.records.filter((record) => record.started >= from && !isLostBetween(record));
    const seen = summarise(
      records,
      prober.stalls.filter(({ to }) => to >= from),
    );
    console.log(describe(host, seen));
    return seen;
  } finally {
    await prober.stop();
  }
}

function describe(what: string, { outageMs, failed, failures, requests, ownDelayMs }: ProbeSummary): string {
  return `${what}: no answer for ${Math.round(outageMs)} ms, ${failed} of ${requests} requests failed ${JSON.stringify(failures)} (the prober itself was ${Math.round(ownDelayMs)} ms late)`;
}

/** The same release with another commit, which is another archive with another sum. */
async function nextRelease(from: string, to: string): Promise<void> {
  const sums = readFileSync(join(from, 'SHA256SUMS'), 'utf8');
  const archive = new RegExp(`\\S+-linux-${process.arch}\\.tar\\.gz`).exec(sums)![0];
  const unpacked = join(to, 'unpacked');
  mkdirSync(unpacked, { recursive: true });
  const run = async (...argv: string[]) => must(await runProgram(argv), argv);
  await run('tar', '-xzf', join(from, archive), '-C', unpacked);
  writeFileSync(join(unpacked, archive.replace('.tar.gz', ''), 'dist/commit'), 'upgraded00\n');
  await run(
    'tar',
    '--use-compress-program=gzip -1',
    '-cf',
    join(to, archive),
    '-C',
    unpacked,
    archive.replace('.tar.gz', ''),
  );
  writeFileSync(join(to, 'SHA256SUMS'), await run('sh', '-c', `cd ${to} && sha256sum ${archive}`));
  await run('rm', '-r', unpacked);
}
